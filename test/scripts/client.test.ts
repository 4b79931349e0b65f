import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { writeClient } from '../../scripts/client/package.ts';
import { packageRoot } from '../../src/package-root.ts';
import { startApp, type TestApp } from '../helpers/app.ts';
import { temporaryFolder } from '../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const COMPILER = {
    compilerOptions: {
        target: 'es2022',
        lib: ['es2022', 'dom'],
        types: [],
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
    },
    files: ['sample.ts'],
};

/** A program of somebody who has the package; what the types refuse is marked, and would fail without a reason to. */
const SAMPLE = `
import { ApiError, Client, type ErrorCode, type Thread } from 'llm-api-client';

const MESSAGES = 'POST /api/threads/{threadId}/models/{modelId}/messages';

export async function talk(baseUrl: string, domain: string) {
    const registration = { tenantName: 'Acme', domain, email: 'ada@' + domain, password: 'correct horse battery staple' };
    const { data: session } = await new Client({ baseUrl }).request('POST /api/auth/register', { body: registration });
    const client = new Client({ baseUrl: baseUrl + '/', token: async () => session.accessToken });
    const { data } = await client.request('POST /api/threads', {
        body: { title: 'A title/with ?signs&' },
        headers: { 'idempotency-key': 'a key' },
    });
    const thread: Thread = data.thread;
    const path = { threadId: thread.id, modelId: 'sandbox' };
    const texts: string[] = [];
    let last = '';
    let messageId = '';
    for await (const event of client.stream(MESSAGES, { path, body: { content: 'Please count to 3' } })) {
        if (event.event === 'message_start') messageId = event.data.messageId;
        if (event.event === 'token') texts.push(event.data.token);
        if (texts.length === 1) last ||= event.id;
    }
    const resumed: string[] = [];
    const headers = { 'last-event-id': Number(last) };
    const again = { path: { ...path, messageId }, headers };
    for await (const { event, data: told } of client.stream('GET /api/threads/{threadId}/models/{modelId}/messages/{messageId}/stream', again)) {
        if (event === 'token') resumed.push(told.token);
    }
    const whole = await client.request(MESSAGES, { path, body: { content: 'Please count to 2' } });
    const found = await client.request('GET /api/threads', { query: { limit: 5 } });
    const total: number | undefined = found.pagination.totalCount;
    const exported = await client.bytes('GET /api/threads/{threadId}/export', { path: { threadId: thread.id }, query: { format: 'markdown' } });
    return {
        title: thread.title,
        text: texts.join(''),
        resumed: resumed.join(''),
        answer: whole.data.assistantMessage.content,
        total,
        exported: await exported.text(),
        refused: await refused(client, path),
        unsigned: await refused(new Client({ baseUrl }), path),
    };
}

async function refused(client: Client, path: { threadId: string; modelId: string }) {
    try {
        for await (const _event of client.stream(MESSAGES, { path, body: { content: '' } }));
    } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        const known: ErrorCode[] = ['VALIDATION_ERROR', 'UNAUTHENTICATED'];
        const { code, status, category, details, message, requestId } = error;
        return { isKnown: known.includes(code as ErrorCode), code, status, category, details, message, requestId };
    }
    return null;
}

export async function wrong(client: Client) {
    // @ts-expect-error there is no such operation
    await client.request('GET /api/nothing');
    // @ts-expect-error a title is a text
    await client.request('POST /api/threads', { body: { title: 3 } });
    // @ts-expect-error there is no such field
    await client.request('POST /api/threads', { body: { heading: 'x' } });
    // @ts-expect-error the path has a part
    await client.request('GET /api/threads/{threadId}');
    // @ts-expect-error one of the types that there are
    await client.request('POST /api/backups/create', { body: { type: 'half' } });
    // @ts-expect-error what is created does not stream
    client.stream('POST /api/threads');
    // @ts-expect-error there is no such field in the answer
    (await client.request('POST /api/threads')).data.thread.heading;
}
`;

describe('npm run client', () => {
    let app: TestApp;
    let folder: string;

    before(async () => {
        app = await startApp({ listen: true });
        folder = temporaryFolder();
        const { body } = await app.call('GET', '/openapi.json');
        writeClient(body, join(folder, 'client'));
    });

    after(() => app.stop());

    it('makes a package that tells right from wrong before it runs, and does what it says when it runs', async () => {
        mkdirSync(join(folder, 'node_modules'));
        symlinkSync(join(folder, 'client'), join(folder, 'node_modules/llm-api-client'));
        const files = { 'package.json': { type: 'module' }, 'tsconfig.json': COMPILER };
        for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
        writeFileSync(join(folder, 'sample.ts'), SAMPLE);
        const compiled = await promisify(execFile)(join(packageRoot(), 'node_modules/.bin/tsc'), ['-p', folder]).catch(
            ({ stdout }: { stdout: string }) => ({ stdout }),
        );
        expect(compiled.stdout).to.equal('');

        const { talk } = await import(pathToFileURL(join(folder, 'sample.js')).href);
        const { port } = app.server.info;
        const { exported, refused, unsigned, ...told } = await talk(`http://127.0.0.1:${port}`, 'client.example');
        expect(told).to.equal({
            title: 'A title/with ?signs&',
            text: '1 2 3',
            resumed: ' 2 3',
            answer: '1 2',
            total: 1,
        });
        expect(exported).to.match(/^# A title\/with \?signs&\n/);
        expect(refused).to.include({ isKnown: true, code: 'VALIDATION_ERROR', status: 400, category: 'validation' });
        expect(Object.keys(refused.details.fields)).to.equal(['content']);
        expect(unsigned).to.include({ isKnown: true, code: 'UNAUTHENTICATED', status: 401, details: {} });
        expect(unsigned.requestId).to.match(/^req_/);
    });
});
