import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { startProcess } from '../helpers/process.ts';
import { get, newClient, post } from '../helpers/program.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const PASSWORD = 'correct horse battery staple';

interface Run {
    code: number;
    stdout: string;
    stderr: string;
}

describe('admin by command', { timeout: 120_000 }, () => {
    const settings = { DATA_DIR: temporaryFolder() };

    /** Runs the command with the settings of the API and no others. */
    const run = (args: string[], input = ''): Promise<Run> => {
        const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
        const inherited = { PATH, HOME, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };
        return new Promise((resolve) => {
            const child = execFile(
                process.execPath,
                [join(packageRoot(), 'dist/scripts/admin.js'), ...args],
                { env: { ...inherited, BCRYPT_COST: '10', ...settings } },
                (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
            );
            child.stdin?.end(input);
        });
    };

    it('says what it does not understand', async () => {
        const { code, stdout, stderr } = await run(['tenant', 'create', '--name', 'X', '--password', 'secret']);
        expect([code, stdout]).to.equal([2, '']);
        expect(stderr).to.contain('Usage: npm run admin');
    });

    it('works without an API, and beside one that obeys at once', async () => {
        const create = [
            'tenant',
            'create',
            '--name',
            'Hooli',
            '--domain',
            'hooli.example',
            '--email',
            'gav@hooli.example',
        ];
        const made = await run([...create, '--password-stdin', '--json'], `${PASSWORD}\n`);
        expect([made.code, made.stderr]).to.equal([0, '']);
        const { tenant, token } = JSON.parse(made.stdout);
        expect(token).to.be.undefined();

        const api = await startProcess(settings);
        try {
            const { data } = await post(`${api.url}/api/login`, { email: 'gav@hooli.example', password: PASSWORD });
            const threads = async () => (await get(`${api.url}/api/threads`, data.accessToken)).body.error?.code;
            expect([data.tenant.id, await threads()]).to.equal([tenant.id, undefined]);
            const suspended = await run(['tenant', 'suspend', tenant.id, '--reason', 'Overdue']);
            expect([suspended.code, suspended.stderr]).to.equal([0, '']);
            expect(suspended.stdout).to.contain('status: suspended\n');
            expect(await threads()).to.equal('TENANT_SUSPENDED');

            const ada = await newClient(api.url);
            await run(['config', 'set', 'maintenance=on', 'message=Back soon']);
            const { body } = await get(`${api.url}/api/threads`, ada.token);
            expect([body.error.code, body.error.details]).to.equal(['MAINTENANCE', { message: 'Back soon' }]);

            const refused = await run([...create, '--json']);
            expect([refused.code, refused.stdout]).to.equal([1, '']);
            expect(JSON.parse(refused.stderr).error.code).to.equal('DOMAIN_TAKEN');
        } finally {
            await api.stop();
        }
    });
});
