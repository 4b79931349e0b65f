/** What may stand in the message of an error and must not go to others. */
const CONTENTS: [what: RegExp, instead: string][] = [
    // Joi tells the value that a pattern does not fit.
    [/with value ".*?"(?= |$)/gs, 'with value […]'],
    // JSON.parse tells what it could not read.
    [/(?:\.\.\.)?".*" is not valid JSON/gs, '[…] is not valid JSON'],
    [/\/\/[^/\s@]+@/g, '//[…]@'],
    [/\?[^\s"')]+/g, '?[…]'],
    [/\b(Bearer|Basic) \S+/gi, '$1 […]'],
    [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '[…]'],
    [/\b(whsec_|sk-)[\w/+=-]{8,}/g, '$1[…]'],
    // Longer than any id.
    [/[\w+=-]{40,}/g, '[…]'],
    [/\$2[aby]\$\d\d\$[./\w]{53}/g, '[…]'],
];

/** A message of an error without values, queries and what looks like a credential. */
export const scrub = (message: string): string =>
    CONTENTS.reduce((text, [what, instead]) => text.replace(what, instead), message);
