/**
 * The place in the console that an address names: `#/tenants?q=acme` or `#/tenants/tenant_01…`.
 *
 * @param {string} hash
 */
export function placeOf(hash) {
    const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
    const [section = '', ...params] = path.split('/').map(decode);
    return { section, params, query: new URLSearchParams(search) };
}

/** @param {string} part What is not well-formed names nothing */
function decode(part) {
    try {
        return decodeURIComponent(part);
    } catch {
        return '';
    }
}

/** @param {string[]} path @param {Record<string, string | undefined>} [query] */
export function hashOf(path, query = {}) {
    const asked = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
    const search = new URLSearchParams(asked);
    return `#/${path.map(encodeURIComponent).join('/')}${search.size > 0 ? `?${search}` : ''}`;
}
