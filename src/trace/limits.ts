/** Longest line of a trace, in UTF-16 code units without its line feed; writing or reading a longer one is an error. */
export const LINE_LENGTH_MAX = 2 ** 20;

/** Most events in one trace: above it numbers and indices would still fit, but no machine's memory would. */
export const EVENTS_MAX = 50_000_000;

/** Deepest nesting of a payload; `firstUnplain` in core has the same default. */
export const PAYLOAD_DEPTH_MAX = 64;

/**
 * Most clock entries that a tracker or an index keeps, four bytes each: 512 MiB. Reached by processes × receives, so
 * by 8 processes after 16 million receives, by 1,000 after 134,000.
 */
export const CLOCK_ENTRIES_MAX = 2 ** 27;

/** Most events that an online merger holds back by default while they wait for events of other processes. */
export const PENDING_EVENTS_MAX = 100_000;
