import { setTimeout as sleep } from 'node:timers/promises';

/** A client of the program: logged in as the admin of a new tenant, with a thread. */
export interface Client {
    tenantId: string;
    token: string;
    thread: string;
}

export const post = async (url: string, payload: object, token = '') => {
    const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify(payload),
    });
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
    return (await response.json()) as any;
};

export const get = async (url: string, token: string) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
    return { status: response.status, body: (await response.json()) as any };
};

/** Asks again while the program's Redis does not answer in time, as a client should, and says what else is wrong. */
async function postSurely(url: string, payload: object, token = '') {
    for (let tries = 1; ; tries++) {
        const body = await post(url, payload, token);
        if (body.success === true) return body;
        if (body.error?.code !== 'STORE_UNAVAILABLE' || tries === 10) throw new Error(JSON.stringify(body));
        await sleep(1_000);
    }
}

/** Registers a tenant. */
export async function newClient(url: string, domain = 'acme.example'): Promise<Client> {
    const session = await postSurely(`${url}/api/auth/register`, {
        tenantName: 'Acme',
        domain,
        email: `ada@${domain}`,
        password: 'correct horse battery staple',
    });
    const token = String(session.data.accessToken);
    const { data } = await postSurely(`${url}/api/threads`, { title: 'A thread' }, token);
    return { tenantId: String(session.data.tenant.id), token, thread: String(data.thread.id) };
}
