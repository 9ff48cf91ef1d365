/**
 * What is opened: 100,000,000 bytes in objects of two seconds at 10 Mbit/s each. No title has this key or this context.
 */

/** Objects, and plaintext bytes of each. */
export const OBJECTS = 40;
export const OBJECT_BYTES = 2_500_000;

/** Key and context of all of them. */
export const KEY = new Uint8Array(32).fill(7);
export const CONTEXT = new TextEncoder().encode('veilcast/bench/open');
