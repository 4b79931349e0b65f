import { ask, expectOk, get, type Asked } from './ask.ts';
import { readyPods } from './cluster.ts';
import { CheckError } from './errors.ts';
import { versionIn } from './exposition.ts';
import { METRICS_PORT } from './traffic.ts';

import type { Kubectl } from './kubectl.ts';

export interface Expected {
    image: string;
    version: string | undefined;
    commit: string | undefined;
}

const HTTP_PORT = 3000;

/**
 * Asks one pod of a deployment whether it does what it is there for.
 *
 * @throws CheckError with what it did not do
 */
export async function smoke(
    kubectl: Kubectl,
    deployment: string,
    expected: Expected,
    say: (line: string) => void,
): Promise<void> {
    if (kubectl.isDry) {
        say(`would run: kubectl port-forward to a pod of ${deployment}, and ask it for its health, version and models`);
        return;
    }
    const [pod] = await readyPods(kubectl, deployment);
    if (pod === undefined) throw new CheckError(`${deployment} has no pod that is ready.`);
    const { local, close } = await kubectl.forward(pod, [HTTP_PORT, METRICS_PORT]);
    try {
        const version = await expectReady(`http://127.0.0.1:${local[METRICS_PORT]}`, expected);
        say(`  ${pod} is ready, version ${version}`);
        const api = `http://127.0.0.1:${local[HTTP_PORT]}`;
        await get(`${api}/health/ready`);
        const { ROLLOUT_EMAIL: email, ROLLOUT_PASSWORD: password } = process.env;
        if (email === undefined || password === undefined) await askAsStranger(api, expected, say);
        else await askAsUser(api, { email, password }, expected, say);
    } finally {
        await close();
    }
}

/** @returns The version that it says it is */
async function expectReady(monitoring: string, { version, image }: Expected): Promise<string | undefined> {
    await get(`${monitoring}/health/ready`);
    const { text } = await get(`${monitoring}/metrics`, process.env.METRICS_TOKEN);
    const found = versionIn(text);
    expectVersion('/metrics', found, version ?? versionOfTag(image));
    return found;
}

/** The version that a tag such as 1.4.0 or v1.4.0 promises; other tags promise none. */
const versionOfTag = (image: string): string | undefined => /:v?(\d+\.\d+\.\d+)(?:@sha256:\w+)?$/.exec(image)?.[1];

function expectVersion(where: string, found: string | undefined, expected: string | undefined): void {
    if (expected === undefined || found === expected) return;
    throw new CheckError(`${where} says ${found ?? 'nothing'} where ${expected} was expected.`);
}

async function askAsUser(api: string, login: object, expected: Expected, say: (line: string) => void): Promise<void> {
    const session = expectOpen(await ask(`${api}/api/auth/login`, { payload: login }), 'The login');
    const token = String(session.body?.data?.accessToken);
    const { version, commit } = (await get(`${api}/api/version`, token)).body?.data ?? {};
    expectVersion('/api/version', version, expected.version ?? versionOfTag(expected.image));
    expectVersion('/api/version', commit, expected.commit);
    const models = (await get(`${api}/api/models`, token)).body?.data?.models as { id: string }[] | undefined;
    if (!models || models.length === 0) throw new CheckError('/api/models names no model.');
    say(`  A user gets in: commit ${commit}, ${models.length} models`);
    if (models.some(({ id }) => id === 'sandbox')) await callSandbox(api, token, say);
    else say('  No model was called: the sandbox is off.');
    await ask(`${api}/api/auth/logout`, { token, payload: {} });
}

async function askAsStranger(api: string, { commit }: Expected, say: (line: string) => void): Promise<void> {
    if (commit !== undefined) {
        throw new CheckError('Only a user is told which commit it is: give ROLLOUT_EMAIL and ROLLOUT_PASSWORD.');
    }
    await expectLocked(api);
    say('  It lets nobody in without credentials. With ROLLOUT_EMAIL and ROLLOUT_PASSWORD, more is asked.');
}

/** @throws CheckError when who has no credentials is not refused */
async function expectLocked(api: string): Promise<void> {
    for (const path of ['/api/version', '/api/models']) {
        const { status, body } = await ask(`${api}${path}`);
        const isRefused = body?.success === false && (status === 401 || body?.error?.code === 'HTTPS_REQUIRED');
        if (!isRefused) throw new CheckError(`${path} was answered with ${status} without credentials.`);
    }
}

function expectOpen(asked: Asked, what: string): Asked {
    if (asked.body?.error?.code !== 'HTTPS_REQUIRED') return expectOk(asked, what);
    const why = 'it takes no word for HTTPS from the port-forward';
    throw new CheckError(`${what} is not possible, as ${why}: add 127.0.0.1/32 to TRUSTED_PROXIES.`);
}

async function callSandbox(api: string, token: string, say: (line: string) => void): Promise<void> {
    const payload = { model: 'sandbox', messages: [{ role: 'user', content: 'Please count to 3' }] };
    const { body } = expectOk(await ask(`${api}/v1/chat/completions`, { token, payload }), '/v1/chat/completions');
    if (body?.choices?.[0]?.message?.content !== '1 2 3') throw new CheckError('The sandbox does not count to 3.');
    say('  The sandbox answers.');
}
