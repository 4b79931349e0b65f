import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { startApp } from '../helpers/app.ts';
import { temporaryFolder } from '../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('npm run openapi', () => {
    it('writes what GET /openapi.json answers, without a Redis', async () => {
        const file = join(temporaryFolder(), 'openapi.json');
        const { NODE_V8_COVERAGE } = process.env;
        // Finds no redis-server to start, and no setting of this process.
        const run = promisify(execFile)(process.execPath, ['dist/scripts/openapi.js', file], {
            cwd: packageRoot(),
            env: { PATH: '', ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }) },
        });
        const app = await startApp();
        const { body } = await app.call('GET', '/openapi.json');
        await app.stop();
        expect((await run).stdout).to.equal(`${file} written\n`);
        // As text: the order is the same too.
        expect(readFileSync(file, 'utf8')).to.equal(`${JSON.stringify(body, null, 2)}\n`);
    });
});
