import { randomAddress, type Answer, type TestApp } from './app.ts';

/** Requests to a program over real connections, in the form in which tests call one in their own process. */
export const callsTo =
    (url: string): TestApp['call'] =>
    async (method, path, { payload, token, headers, from = randomAddress() } = {}): Promise<Answer> => {
        const response = await fetch(url + path, {
            method,
            headers: {
                ...(payload !== undefined && { 'content-type': 'application/json' }),
                ...(token !== undefined && { authorization: `Bearer ${token}` }),
                // Believed where 127.0.0.1 is among TRUSTED_PROXIES.
                'x-forwarded-for': from,
                ...headers,
            },
            ...(payload !== undefined && { body: JSON.stringify(payload) }),
        });
        const text = await response.text();
        const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
        return {
            status: response.status,
            headers: Object.fromEntries(response.headers),
            body: isJson && text !== '' ? JSON.parse(text) : null,
            text,
        };
    };
