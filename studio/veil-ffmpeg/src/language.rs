//! Turns the language codes of containers into the tags of the web.
//!
//! Owns: the table from ISO 639-2 (three letters, both variants) to ISO 639-1 (two), as BCP 47 wants
//! the shortest code. Refuses to know: names of languages; a browser has them in the viewer's own.

/// Three letters, then the two letters of the same language; sorted.
const SHORTER: &str = "\
    aaraa abkab afraf akaak albsq amham araar argan armhy asmas avaav aveae aymay azeaz bakba \
    bambm baqeu belbe benbn bihbh bisbi bodbo bosbs brebr bulbg burmy catca cescs chach chece \
    chizh chucu chvcv corkw cosco crecr cymcy czecs danda deude divdv dutnl dzodz ellel engen \
    epoeo estet euseu eweee faofo fasfa fijfj finfi frafr frefr fryfy fulff geoka gerde glagd \
    glega glggl glvgv greel grngn gujgu hatht hauha hebhe herhz hinhi hmoho hrvhr hunhu hyehy \
    iboig iceis idoio iiiii ikuiu ileie inaia indid ipkik islis itait javjv jpnja kalkl kankn \
    kasks katka kaukr kazkk khmkm kikki kinrw kirky komkv konkg korko kuakj kurku laolo latla \
    lavlv limli linln litlt ltzlb lublu luglg macmk mahmh malml maomi marmr mayms mkdmk mlgmg \
    mltmt monmn mrimi msams myamy nauna navnv nblnr ndend ndong nepne nldnl nnonn nobnb norno \
    nyany ocioc ojioj orior ormom ossos panpa perfa plipi polpl porpt pusps quequ rohrm ronro \
    rumro runrn rusru sagsg sansa sinsi slksk slosk slvsl smese smosm snasn sndsd somso sotst \
    spaes sqisq srdsc srpsr sswss sunsu swasw swesv tahty tamta tattt telte tgktg tgltl thath \
    tibbo tirti tonto tsntn tsots tuktk turtr twitw uigug ukruk urdur uzbuz venve vievi volvo \
    welcy wlnwa wolwo xhoxh yidyi yoryo zhaza zhozh zulzu";

/// The longest tag that is passed on; RFC 5646 §4.4.1 asks for 35 characters.
const TAG_BYTES_MAX: usize = 35;

/// The BCP 47 tag of a container's language, or `None` when it is unknown or nonsense.
pub(crate) fn tag(code: &str) -> Option<String> {
    let code = code.trim().replace('_', "-");
    let (primary, rest) = code.split_once('-').map_or((&*code, None), |(a, b)| (a, Some(b)));
    let primary = primary.to_ascii_lowercase();
    if matches!(&*primary, "und" | "mis" | "mul" | "zxx") {
        return None;
    }
    let letters = |part: &str| (2..=3).contains(&part.len()) && is_alphanumeric(part);
    if !letters(&primary) || primary.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let shorter = SHORTER.split(' ').find_map(|row| row.strip_prefix(&*primary));
    let primary = shorter.filter(|short| short.len() == 2).unwrap_or(&primary);
    let tag = rest.map_or_else(|| primary.to_owned(), |rest| format!("{primary}-{rest}"));
    let subtags = rest.unwrap_or("x").split('-');
    let well_formed =
        subtags.clone().all(|part| (1..=8).contains(&part.len()) && is_alphanumeric(part));
    (well_formed && tag.len() <= TAG_BYTES_MAX).then_some(tag)
}

fn is_alphanumeric(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_letters_become_the_shortest_code() {
        for (code, expected) in [
            ("eng", "en"),
            ("ger", "de"),
            ("deu", "de"),
            ("cze", "cs"),
            ("fre", "fr"),
            ("ENG", "en"),
            ("en", "en"),
            ("pt-BR", "pt-BR"),
            ("por_BR", "pt-BR"),
            ("gsw", "gsw"),
            ("zh-Hant-TW", "zh-Hant-TW"),
        ] {
            assert_eq!(tag(code).as_deref(), Some(expected), "{code}");
        }
    }

    #[test]
    fn unknown_and_malformed_codes_are_dropped() {
        for code in
            ["und", "", "e", "english", "e1", "en-", "en-\"><x", "en-toolongsubtag", "mul", "zxx"]
        {
            assert_eq!(tag(code), None, "{code}");
        }
    }
}
