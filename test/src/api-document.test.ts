import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { apiDocumentElsewhere } from '../../src/api-document.ts';
import { startApp } from '../helpers/app.ts';
import { expectError } from '../helpers/expect-error.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('apiDocumentElsewhere', () => {
    it('gives what a server of the same settings would write itself, and leaves the process to others', async () => {
        const config = { CONSOLE: true, METRICS: false };
        let turns = 0;
        const timer = setInterval(() => turns++, 10);
        const made = await apiDocumentElsewhere(config);
        clearInterval(timer);
        expect(turns).to.be.above(10);
        const app = await startApp({ config });
        const { text, body } = await app.call('GET', '/openapi.json');
        await app.stop();
        expect(body.paths).to.not.include('/metrics');
        expect(made).to.equal(text);
    });
});

describe('GET /openapi.json', () => {
    it('is asked for again when it could not be made', async () => {
        let tries = 0;
        const writeDocument = async () => {
            if (tries++ === 0) throw new Error('The process ended');
            return '{"openapi":"3.0.0"}';
        };
        const app = await startApp({ writeDocument });
        expectError(await app.call('GET', '/openapi.json'), 'INTERNAL_ERROR');
        expect((await app.call('GET', '/openapi.json')).body).to.equal({ openapi: '3.0.0' });
        await app.call('GET', '/openapi.json');
        expect(tries).to.equal(2);
        await app.stop();
    });
});
