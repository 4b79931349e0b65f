import type { Answer } from './app.ts';

export interface SetCookie {
    value: string;
    /** As they stand in the header, `HttpOnly` or `Path=/`. */
    attributes: string[];
}

/** The cookies that an answer sets, by name. */
export function cookiesOf({ headers }: Answer): Record<string, SetCookie> {
    const lines = ([] as string[]).concat(headers['set-cookie'] ?? []);
    const parsed = lines.map((line) => {
        const [pair = '', ...attributes] = line.split('; ');
        const at = pair.indexOf('=');
        return [pair.slice(0, at), { value: pair.slice(at + 1), attributes }] as const;
    });
    return Object.fromEntries(parsed);
}

/** The header by which a page of our own origin sends those cookies. */
export const sameOrigin = (cookies: Record<string, string>): Record<string, string> => ({
    ...asCookies(cookies),
    'sec-fetch-site': 'same-origin',
});

export const asCookies = (cookies: Record<string, string>): { cookie: string } => ({
    cookie: Object.entries(cookies)
        .map(([name, value]) => `${name}=${value}`)
        .join('; '),
});
