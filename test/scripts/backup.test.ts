import { execFile } from 'node:child_process';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { startProcess, type TestProcess } from '../helpers/process.ts';
import { get, newClient, post, type Client } from '../helpers/program.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const NOBODY = 'tenant_00000000000000000000000000';
const ID = /backup_[\d_-]+/;

describe('backup and restore by command', { timeout: 120_000 }, () => {
    let api: TestProcess;
    let ada: Client;
    let settings: Record<string, string>;

    before(async () => {
        settings = { DATA_DIR: temporaryFolder() };
        api = await startProcess(settings);
        ada = await newClient(api.url);
        await newClient(api.url, 'other.example');
    });

    after(() => api.stop());

    /** Runs a script with the settings of the API and no others. */
    const run = (name: string, ...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
        const { PATH = '', HOME = '', NODE_V8_COVERAGE } = process.env;
        const inherited = { PATH, HOME, ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) };
        return new Promise((resolve) => {
            const script = join(packageRoot(), `dist/scripts/${name}.js`);
            execFile(
                process.execPath,
                [script, ...options],
                { env: { ...inherited, ...settings } },
                (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
            );
        });
    };

    it('needs to be told what', async () => {
        for (const options of [[], ['--all', '--tenant', ada.tenantId], ['--all', '--type', 'some']]) {
            const { code, stderr } = await run('backup', ...options);
            expect([code, stderr.includes('Usage: npm run backup')], options.join(' ')).to.equal([1, true]);
        }
        expect(await run('backup', '--tenant', NOBODY)).to.equal({
            code: 1,
            stdout: '',
            stderr: `The backup failed: There is no tenant ${NOBODY}\n`,
        });
        for (const options of [[], ['--tenant', ada.tenantId]]) {
            const { code, stderr } = await run('restore', ...options);
            expect([code, stderr.includes('Usage: npm run restore')], options.join(' ')).to.equal([1, true]);
        }
    });

    it('backs all tenants up beside a running API', async () => {
        const { code, stdout, stderr } = await run('backup', '--all', '--type', 'config');
        expect([code, stderr]).to.equal([0, '']);
        const lines = stdout.trim().split('\n');
        expect(lines.at(-1)).to.equal('2 tenants were backed up, 0 were not.');
        expect(lines[0]).to.match(/^tenant_\w{26} backup_[\d_-]+ \d+ bytes$/);
        const { body } = await get(`${api.url}/api/backups/list`, ada.token);
        expect(body.data.backups[0]).to.include({ type: 'config', state: 'completed', createdBy: 'operator' });
    });

    it('restores when it is told yes, and only then', async () => {
        const made = await run('backup', '--tenant', ada.tenantId);
        const id = ID.exec(made.stdout)?.[0] ?? '';
        await post(`${api.url}/api/threads`, { title: 'Later' }, ada.token);
        const titles = async () => {
            const { body } = await get(`${api.url}/api/threads`, ada.token);
            return body.data.threads.map(({ title }: { title: string }) => title);
        };
        const order = ['--tenant', ada.tenantId, '--backup', id, '--components', 'database,deployment', '--with-plan'];
        const asked = await run('restore', ...order);
        expect(asked.code).to.equal(1);
        expect(asked.stderr).to.contain('Say --yes to do that');
        expect(await titles()).to.equal(['Later', 'A thread']);

        const restored = await run('restore', ...order, '--yes');
        expect([restored.code, restored.stderr]).to.equal([0, '']);
        expect(restored.stdout).to.contain('Restored. What was there before is in backup_');
        expect(await titles()).to.equal(['A thread']);
    });

    it('says what it did not restore', async () => {
        const order = ['--tenant', ada.tenantId, '--backup', 'backup_2020-01-01_00-00-00', '--yes'];
        const { code, stderr } = await run('restore', ...order);
        expect([code, stderr]).to.equal([1, 'Not restored: BACKUP_NOT_FOUND. Nothing was changed.\n']);
    });
});
