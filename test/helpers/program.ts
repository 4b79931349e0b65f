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

/** Registers a tenant. */
export async function newClient(url: string, domain = 'acme.example'): Promise<Client> {
    const session = await post(`${url}/api/auth/register`, {
        tenantName: 'Acme',
        domain,
        email: `ada@${domain}`,
        password: 'correct horse battery staple',
    });
    const token = String(session.data.accessToken);
    const { data } = await post(`${url}/api/threads`, { title: 'A thread' }, token);
    return { tenantId: String(session.data.tenant.id), token, thread: String(data.thread.id) };
}
