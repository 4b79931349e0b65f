import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { adapterStream } from '../../../helpers/adapter.ts';
import { testConfig } from '../../../helpers/app.ts';
import { failureOf } from '../../../helpers/model.ts';
import { cut, fixture, startProvider, type Provider, type ProviderAnswer } from '../../../helpers/provider.ts';
import { callOver, KEY, providersAt, WIRES } from '../../../helpers/wires.ts';

import type { Config } from '../../../../src/config.ts';
import type { ErrorCode } from '../../../../src/http/errors.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const kindsOf = (...kinds: string[]): [status: number, body: string][] =>
    kinds.map((type) => [429, JSON.stringify({ type: 'error', error: { type, status: type, message: 'No more' } })]);

for (const wire of WIRES) {
    const { name, garbage } = wire;
    const refusal = (reason: string) => JSON.stringify(wire.refusal(reason));
    const recorded = fixture(wire.recordings[0] ?? '');
    // Where no key is sent no user can put it right.
    const keyRefused = wire.model.provider === 'ollama' ? 'PROVIDER_ERROR' : 'PROVIDER_KEY_INVALID';

    describe(`A failing provider (${name})`, () => {
        let config: Config;
        let provider: Provider;

        before(async () => {
            provider = await startProvider();
            config = configOf(provider);
        });

        after(() => provider.stop());

        const configOf = ({ url }: Provider): Config => ({ ...testConfig(), ...providersAt(url) });
        const stream = (to = config) => adapterStream(to, callOver(wire));
        const failing = (answer: ProviderAnswer) => {
            provider.answer(answer);
            return failureOf(stream());
        };

        const codes: [status: number, code: ErrorCode][] = [
            [400, 'PROVIDER_REFUSED'],
            [401, keyRefused],
            [403, keyRefused],
            [404, 'PROVIDER_REFUSED'],
            [413, 'PROVIDER_REFUSED'],
            [422, 'PROVIDER_REFUSED'],
            [429, 'PROVIDER_RATE_LIMITED'],
            [302, 'PROVIDER_ERROR'],
            [418, 'PROVIDER_ERROR'],
            [500, 'PROVIDER_ERROR'],
            [502, 'PROVIDER_ERROR'],
            [503, 'PROVIDER_OVERLOADED'],
            [529, 'PROVIDER_OVERLOADED'],
        ];
        for (const [status, code] of codes) {
            it(`answers ${status} with ${code}; a client is told the reason where it can mend it`, async () => {
                const { error } = await failing({ status, steps: [refusal(`The reason: ${'é'.repeat(400)}`)] });
                const reason = `The reason: ${'é'.repeat(288)}`;
                expect(error.data).to.equal({
                    code,
                    details: { providerStatus: status, ...(code === 'PROVIDER_REFUSED' && { reason }) },
                });
                expect(error.cause).to.be.an.error(`The provider answered ${status}: ${reason}`);
            });
        }

        it('tells a spent account from a limited rate: no retry will mend it', async () => {
            const spent: [status: number, body: string][] = [
                [402, ''],
                [402, refusal('Pay first')],
                ...(wire.model.provider === 'ollama'
                    ? []
                    : kindsOf('billing_error', 'insufficient_quota', 'credit_balance_exhausted')),
            ];
            for (const [status, body] of spent) {
                const { error } = await failing({ status, headers: { 'retry-after': '7' }, steps: [body] });
                expect(error.data, body).to.equal({
                    code: 'PROVIDER_RATE_LIMITED',
                    details: { providerStatus: status, reason: 'quota' },
                });
                expect(error.output.headers).to.not.include('retry-after');
            }
        });

        it('puts what the provider calls the request into the log, and nowhere else', async () => {
            const { error } = await failing({
                status: 400,
                headers: { 'x-request-id': 'req_theirs' },
                steps: [refusal('Too much')],
            });
            expect(error.cause).to.be.an.error('The provider answered 400: Too much (req_theirs)');
            expect(error.data?.details).to.equal({ providerStatus: 400, reason: 'Too much' });
        });

        it('keeps the key out of all that it tells', async () => {
            const { error } = await failing({ status: 400, steps: [refusal(`No ${KEY}`)] });
            const reason = wire.model.provider === 'ollama' ? `No ${KEY}` : 'No [key]';
            expect(error.data?.details).to.equal({ providerStatus: 400, reason });
        });

        it('gives the Retry-After of 429, in seconds or as a date by the clock of its sender', async () => {
            const date = 'Fri, 20 Nov 2026 10:30:00 GMT';
            const waits: [retryAfter: string, seconds: number | undefined][] = [
                ['7', 7],
                ['0.2', 1],
                ['Fri, 20 Nov 2026 10:30:30 GMT', 30],
                ['Fri, 20 Nov 2026 10:29:00 GMT', 0],
                ['99999999999', 86_400],
                ['soon', undefined],
                ['', undefined],
            ];
            for (const [retryAfter, seconds] of waits) {
                const { error } = await failing({ status: 429, headers: { 'retry-after': retryAfter, date } });
                expect(error.output.headers['retry-after'], retryAfter).to.equal(seconds);
            }
            const { error } = await failing({ status: 429 });
            expect(error.output.headers).to.not.include('retry-after');
        });

        const bodies: [what: string, steps: ProviderAnswer['steps']][] = [
            ['is HTML', ['<html><body>Bad gateway</body></html>']],
            ['is empty', []],
            ['is JSON without a reason', ['{"error":{"message":5}}']],
            ['is JSON and no object', ['null']],
            ['is far too long', [refusal('x'.repeat(1_000_000))]],
            ['breaks off', [refusal('cut').slice(0, 12), 5, cut]],
        ];
        for (const [what, steps = []] of bodies) {
            it(`keeps to the status where the body of a refusal ${what}`, async () => {
                const { error } = await failing({ status: 400, steps });
                expect(error.data).to.equal({ code: 'PROVIDER_REFUSED', details: { providerStatus: 400 } });
            });
        }

        it('reads the reason of a refusal whose characters are cut in two', async () => {
            const body = Buffer.from(refusal('schön'));
            const at = body.indexOf('ö') + 1;
            const { error } = await failing({ status: 400, steps: [body.subarray(0, at), 20, body.subarray(at)] });
            expect(error.data?.details).to.include({ reason: 'schön' });
        });

        it('fails with PROVIDER_ERROR where nothing listens', async () => {
            const gone = await startProvider();
            await gone.stop();
            const { error } = await failureOf(stream(configOf(gone)));
            expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
            expect(error.cause).to.be.an.error(/ECONNREFUSED/);
        });

        const half = recorded.subarray(0, Math.floor(recorded.length / 2));
        const broken: [what: string, steps: NonNullable<ProviderAnswer['steps']>][] = [
            ['the connection is cut before the first byte', [cut]],
            ['the connection is cut in the middle', [half, 5, cut]],
            ['the answer ends in the middle', [half]],
            ['the answer is empty', []],
            ['there is garbage in the middle', [half.subarray(0, half.lastIndexOf('\n') + 1), '\n', garbage, recorded]],
            ['the answer is a page of HTML', ['<html>\n<body>\n</body>\n</html>\n']],
        ];
        for (const [what, steps] of broken) {
            it(`fails with PROVIDER_ERROR, without a finish, where ${what}`, async () => {
                const { error } = await failing({ steps });
                expect(error.data).to.equal({ code: 'PROVIDER_ERROR' });
            });
        }

        it('keeps what was said out of the error for what is no JSON', async () => {
            const { error } = await failing({ steps: [garbage.replace('<html>', '{"a secret": of the user')] });
            expect(error.cause).to.be.an.error('The provider sent what is not a JSON object');
        });
    });
}
