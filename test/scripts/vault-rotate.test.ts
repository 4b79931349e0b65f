import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { startProcess } from '../helpers/process.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const KEYS = ['k1', 'k2'].map((name) => `${name}:${randomBytes(32).toString('base64')}`);
const [first = '', second = ''] = KEYS;

/** Runs the script with those settings and no others. */
function rotate(environment: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
    const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
    const env = { PATH, HOME, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }), ...environment };
    return new Promise((resolve) => {
        const script = join(packageRoot(), 'dist/scripts/vault-rotate.js');
        execFile(process.execPath, [script], { env }, (error, stdout, stderr) =>
            resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        );
    });
}

async function call(url: string, path: string, payload: object, token?: string) {
    const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
            'content-type': 'application/json',
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(payload),
    });
    return response.json() as Promise<{ data: { accessToken: string } }>;
}

const saying = (key: string): string =>
    ['1 provider keys', '0 secrets of webhooks']
        .map((what) => `${what} were sealed again with the master key ${key}.\n`)
        .join('');

describe('vault-rotate', () => {
    it('seals again through the socket of a running API, and without one', async () => {
        const DATA_DIR = temporaryFolder();
        const api = await startProcess({ DATA_DIR, VAULT_KEYS: first, OPENAI_BASE_URL: 'http://127.0.0.1:1' });
        const registration = {
            tenantName: 'Acme',
            domain: 'acme.example',
            email: 'ada@acme.example',
            password: 'a password for a test',
        };
        const { data } = await call(api.url, '/api/auth/register', registration);
        await call(api.url, '/api/profile/api-keys', { openai: 'sk-of-the-user' }, data.accessToken);

        const running = await rotate({ DATA_DIR, VAULT_KEYS: `${second},${first}` });
        expect(running).to.include({ code: 0, stderr: '' });
        expect(running.stdout).to.equal(saying('k2'));
        await api.stop();

        const back = await rotate({ DATA_DIR, VAULT_KEYS: `${first},${second}` });
        expect(back.stdout).to.equal(saying('k1'));
        const without = await rotate({ DATA_DIR, VAULT_KEYS: second });
        expect(without).to.include({ code: 1 });
        expect(without.stderr).to.include('sealed with none of VAULT_KEYS');
    });

    it('says in a sentence what is wrong with its settings', async () => {
        const wrong = await rotate({ DATA_DIR: temporaryFolder(), VAULT_KEYS: 'k1:short' });
        expect(wrong.code).to.equal(1);
        expect(wrong.stderr).to.match(/^The rotation failed: .*VAULT_KEYS/);
        const away = await rotate({ DATA_DIR: temporaryFolder(), REDIS_URL: 'redis://127.0.0.1:1', VAULT_KEYS: first });
        expect(away.code).to.equal(1);
        expect(away.stderr).to.match(/^The rotation failed: .+\n$/);
    });
});
