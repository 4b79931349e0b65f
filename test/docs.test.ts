import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from './helpers/app.ts';
import { temporaryFolder } from './helpers/folder.ts';
import { newTenant } from './helpers/tenant.ts';
import { packageRoot } from '../src/package-root.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const FIELD = 'field() { node -p "JSON.parse(fs.readFileSync(0)).$1"; }\n';

const folder = join(packageRoot(), 'docs');
const guides = readdirSync(folder).filter((name) => name.endsWith('.md'));

/** The commands of a guide, and what it says that they show. */
function commandsOf(guide: string): { script: string; shown: string[] } {
    const text = readFileSync(join(folder, guide), 'utf8');
    const script = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands).join('');
    return { script, shown: [...script.matchAll(/^# → (.*)$/gm)].map(([, line = '']) => line) };
}

describe('The guides', { timeout: 120_000 }, () => {
    let app: TestApp;

    before(async () => {
        app = await startApp({ listen: true, config: { WEBHOOK_ALLOW_PRIVATE: true } });
    });

    after(() => app.stop());

    const run = async (script: string): Promise<{ output: string; stderr: string }> => {
        const { accessToken } = await newTenant(app);
        const cwd = temporaryFolder();
        symlinkSync(join(packageRoot(), 'node_modules'), join(cwd, 'node_modules'));
        const api = `http://127.0.0.1:${app.server.info.port}`;
        const env = { PATH: process.env.PATH, api, token: accessToken };
        return new Promise((resolve) => {
            execFile(
                'bash',
                ['--norc', '-euo', 'pipefail', '-c', FIELD + script],
                { cwd, env },
                (error, stdout, stderr) =>
                    resolve({ output: stdout, stderr: error ? `${stderr}${error.message}` : '' }),
            );
        });
    };

    for (const guide of guides) {
        it(`has commands in ${guide} that do what it says`, async () => {
            const { script, shown } = commandsOf(guide);
            expect(script).to.not.equal('');
            const { output, stderr } = await run(script);
            expect(stderr).to.equal('');
            expect(output.split('\n').filter((line) => line !== '')).to.equal(shown);
        });
    }

    it('lead to files that are there, and to each of them', () => {
        const index = readFileSync(join(folder, 'README.md'), 'utf8');
        const linked = [...index.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name = '']) => name);
        expect([...linked, 'README.md'].toSorted()).to.equal(guides.toSorted());
    });
});
