//! espeak-ng's library, by its C interface (`espeak-ng/speak_lib.h`, version 1.51).
//!
//! **Why unsafe.** A library that is found at run time is called by function pointers that nobody checks, and its callback brings pointers. All of
//! that happens in this file: seven calls, and one callback that reads `count` samples and events up to one of type 0, as the header promises.
//! **What checks it.** The tests of `veilcast make` speak with the real library and hold words and sound against each other; the layout of
//! [`Event`] is held to the header's by a test.
#![allow(unsafe_code, reason = "a C library's interface; see above")]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::slice;

use libloading::Symbol;

use crate::speech::Collected;

/// The name under which systems have it.
const NAME: &str = "libespeak-ng.so.1";

/// `AUDIO_OUTPUT_SYNCHRONOUS`: samples come by the callback, before `espeak_Synth` returns.
const SYNCHRONOUS: c_int = 2;
/// `espeakRATE` and `espeakPITCH`.
const RATE: c_int = 1;
const PITCH: c_int = 3;
/// `espeakCHARS_UTF8` and `espeakENDPAUSE`.
const UTF8: c_uint = 1;
const END_PAUSE: c_uint = 0x1000;
/// `POS_CHARACTER`.
const BY_CHARACTER: c_int = 1;
/// `EE_OK`.
const OK: c_int = 0;
/// Milliseconds of sound that a callback brings.
const BUFFER_MS: c_int = 200;
/// More events than one callback ever brings.
const EVENTS_MAX: usize = 100_000;

const END_OF_LIST: c_int = 0;
const WORD: c_int = 1;

/// `espeak_EVENT`.
#[repr(C)]
pub(crate) struct Event {
    kind: c_int,
    unique: c_uint,
    text_position: c_int,
    length: c_int,
    audio_position_ms: c_int,
    sample: c_int,
    user_data: *mut c_void,
    id: [u8; 8],
}

impl Event {
    pub(crate) fn is_word(&self) -> bool {
        self.kind == WORD
    }

    /// The number of the word's first character, from 1 on.
    pub(crate) fn position(&self) -> i32 {
        self.text_position
    }

    /// Characters of the word.
    pub(crate) fn length(&self) -> i32 {
        self.length
    }

    /// When it begins, in milliseconds.
    pub(crate) fn at_ms(&self) -> i32 {
        self.audio_position_ms
    }
}

type Info = unsafe extern "C" fn(*mut *const c_char) -> *const c_char;
type Callback = unsafe extern "C" fn(*mut i16, c_int, *mut Event) -> c_int;
type Initialize = unsafe extern "C" fn(c_int, c_int, *const c_char, c_int) -> c_int;
type SetCallback = unsafe extern "C" fn(Callback);
type SetVoice = unsafe extern "C" fn(*const c_char) -> c_int;
type SetParameter = unsafe extern "C" fn(c_int, c_int, c_int) -> c_int;
#[rustfmt::skip]
type Synth = unsafe extern "C" fn(
    *const c_void, usize, c_uint, c_int, c_uint, c_uint, *mut c_uint, *mut c_void,
) -> c_int;

/// The library, loaded.
pub(crate) struct Library(libloading::Library);

impl Library {
    /// Loads it.
    ///
    /// # Errors
    /// Where the system doesn't have it.
    pub(crate) fn open() -> Result<Self, String> {
        // SAFETY: its initializers are those of a library of the system, which has none that ask for anything.
        let library = unsafe { libloading::Library::new(NAME) };
        library.map(Self).map_err(|_| format!("{NAME} is missing: install espeak-ng"))
    }

    /// A function of the library.
    fn function<T>(&self, name: &str) -> Result<Symbol<'_, T>, String> {
        // SAFETY: every caller names a function of speak_lib.h with the type that it has there.
        unsafe { self.0.get(name) }.map_err(|_| format!("{NAME} has no {name}"))
    }

    /// Its version.
    pub(crate) fn version(&self) -> Result<String, String> {
        let info: Symbol<'_, Info> = self.function("espeak_Info")?;
        // SAFETY: a null pointer asks for no path; what is returned is a constant of the library, which ends with a zero and stays loaded.
        let version = unsafe {
            let version = info(std::ptr::null_mut());
            if version.is_null() { None } else { Some(CStr::from_ptr(version)) }
        };
        let version = version.ok_or_else(|| format!("{NAME} has no version"))?;
        Ok(version.to_string_lossy().into_owned())
    }

    /// Begins, and returns the samples a second.
    pub(crate) fn begin(&self) -> Result<u32, String> {
        let initialize: Symbol<'_, Initialize> = self.function("espeak_Initialize")?;
        // SAFETY: a null path is the built-in one, by the header.
        let rate = unsafe { initialize(SYNCHRONOUS, BUFFER_MS, std::ptr::null(), 0) };
        let rate = u32::try_from(rate).ok().filter(|rate| (8000..=96_000).contains(rate));
        rate.ok_or_else(|| "espeak-ng can't begin: is its data installed?".to_owned())
    }

    /// Sets voice, words a minute and pitch.
    pub(crate) fn set(&self, voice: &str, speed: i32, pitch: i32) -> Result<(), String> {
        let set_voice: Symbol<'_, SetVoice> = self.function("espeak_SetVoiceByName")?;
        let set: Symbol<'_, SetParameter> = self.function("espeak_SetParameter")?;
        let name = CString::new(voice).map_err(|_| "the voice has a zero in it".to_owned())?;
        // SAFETY: the name ends with a zero and lives longer than the call.
        if unsafe { set_voice(name.as_ptr()) } != OK {
            return Err(format!(
                "espeak-ng has no voice {voice:?}; `espeak-ng --voices` lists them"
            ));
        }
        // SAFETY: plain numbers.
        let set = unsafe { [set(RATE, speed, 0), set(PITCH, pitch, 0)] };
        if set == [OK; 2] { Ok(()) } else { Err("espeak-ng refuses speed or pitch".to_owned()) }
    }

    /// Speaks a text, and returns what came of it.
    pub(crate) fn speak(&self, text: &str, collected: Collected) -> Result<Collected, String> {
        let set_callback: Symbol<'_, SetCallback> = self.function("espeak_SetSynthCallback")?;
        let synth: Symbol<'_, Synth> = self.function("espeak_Synth")?;
        let bytes = CString::new(text).map_err(|_| "the text has a zero in it".to_owned())?;
        let collected = Box::into_raw(Box::new(collected));
        let length = bytes.as_bytes_with_nul().len();
        let none = std::ptr::null_mut();
        // SAFETY: the text ends with a zero and outlives the call, which returns after the last callback; what the callback fills
        // is taken back only then, and by nobody else.
        let (result, collected) = unsafe {
            set_callback(receive);
            let flags = UTF8 | END_PAUSE;
            let text = bytes.as_ptr().cast();
            let result =
                synth(text, length, 0, BY_CHARACTER, 0, flags, none, collected.cast::<c_void>());
            (result, Box::from_raw(collected))
        };
        if result == OK { Ok(*collected) } else { Err("espeak-ng can't speak this".to_owned()) }
    }
}

/// Takes samples and events; 0 goes on, 1 stops.
unsafe extern "C" fn receive(samples: *mut i16, count: c_int, events: *mut Event) -> c_int {
    if events.is_null() {
        return 0;
    }
    let mut found = 0;
    // SAFETY: the list ends with an event of type 0 (speak_lib.h); what it carries is what `espeak_Synth` was given.
    let (events, collected) = unsafe {
        while found < EVENTS_MAX && (*events.add(found)).kind != END_OF_LIST {
            found += 1;
        }
        let collected = (*events).user_data.cast::<Collected>().as_mut();
        (slice::from_raw_parts(events, found), collected)
    };
    let Some(collected) = collected else { return 0 };
    let count = usize::try_from(count).unwrap_or(0);
    let heard: &[i16] = match samples.is_null() || count == 0 {
        true => &[],
        // SAFETY: `count` samples of 16 bits, by the header.
        false => unsafe { slice::from_raw_parts(samples, count) },
    };
    c_int::from(!collected.take(heard, events))
}

#[cfg(test)]
mod tests {
    use std::mem::{offset_of, size_of};

    use super::*;

    #[test]
    fn an_event_lies_as_the_header_says() {
        assert_eq!((offset_of!(Event, text_position), offset_of!(Event, sample)), (8, 20));
        assert_eq!((offset_of!(Event, user_data), offset_of!(Event, id)), (24, 32));
        assert_eq!(size_of::<Event>(), 40);
    }
}
