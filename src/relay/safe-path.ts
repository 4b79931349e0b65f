/** As many times as a server behind a proxy may decode a path before it looks at it. */
const MOST_DECODINGS = 3;
// oxlint-disable-next-line no-control-regex -- these are what must not be there
const FORBIDDEN = /[\\\u0000-\u0020\u007f-\uffff#]/;
// oxlint-disable-next-line no-control-regex -- these are what must not be there
const FORBIDDEN_DECODED = /[\\\u0000-\u001f\u007f]/;

/**
 * Whether a path with its query, as it stands on the wire, stays below whatever it is put behind: no dot segments,
 * empty segments or backslashes, neither plain nor encoded, however often; no other host.
 */
export function isSafePath(pathWithQuery: string): boolean {
    if (FORBIDDEN.test(pathWithQuery)) return false;
    let [path = ''] = pathWithQuery.split('?');
    for (let times = 0; times < MOST_DECODINGS; times++) {
        if (!isPlain(path)) return false;
        const decoded = decode(path);
        if (decoded === null) return times > 0;
        if (decoded === path) return true;
        if (FORBIDDEN_DECODED.test(decoded)) return false;
        path = decoded;
    }
    return isPlain(path);
}

/** A segment's parameters, from `;` on, are no part of its name to some servers. */
const isPlain = (path: string): boolean =>
    path.startsWith('/') &&
    !path.includes('//') &&
    !path.split('/').some((segment) => /^\.{1,2}$/.test(segment.split(';')[0] ?? ''));

/** Null for an encoding that is none. */
function decode(path: string): string | null {
    try {
        return decodeURIComponent(path);
    } catch {
        return null;
    }
}
