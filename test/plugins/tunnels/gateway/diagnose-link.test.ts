import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { diagnoseLink } from '../../../../plugins/tunnels/gateway/diagnose-link.ts';
import { bodyOf, linkPair, type Pair } from '../../../helpers/link.ts';

import type { Tunnel } from '../../../../plugins/tunnels/api.ts';
import type { LinkRequest } from '../../../../plugins/tunnels/link/types.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const PLACE = { tenantId: 'tenant_1', tunnelId: 'tun_1' };
const OK = { status: 200, headers: [] };
const PROBE = { status: 'passed', durationMs: 1, message: 'well' };

describe('diagnoseLink', () => {
    let pair: Pair | undefined;

    afterEach(() => pair?.stop());

    const diagnosed = async (onRequest: (request: LinkRequest) => unknown, isKnown = true, lateMs = 10_000) => {
        pair = await linkPair((request) => void onRequest(request));
        const known = { tenantId: PLACE.tenantId, tunnel: {} as Tunnel };
        const tunnels = { authenticate: async () => (isKnown ? known : null) };
        return diagnoseLink({ place: PLACE, token: 'tun_x', link: pair.gateway }, tunnels, lateMs);
    };
    const telling = (text: string) => (request: LinkRequest) =>
        request.respond(OK, bodyOf(text)).catch((error: unknown) => expect(error).to.be.an.error());

    it('asks the agent itself, and tells what that found out', async () => {
        const targets = [{ endpoint: 'e', nameResolution: PROBE, upstream: PROBE }];
        let asked: LinkRequest | undefined;
        const found = await diagnosed((request) => {
            asked = request;
            return telling(JSON.stringify(targets))(request);
        });
        expect(asked).to.include({ method: 'GET', path: '/diagnosis', headers: [], endpoint: '@agent' });
        expect(found.targets).to.equal(targets as never);
        expect(found.agentConnection).to.include({ status: 'passed', message: 'The agent answers' });
        expect(found.authentication).to.include({ status: 'passed' });
    });

    it('tells that the token is another one by now', async () => {
        const { authentication, agentConnection } = await diagnosed(telling('[]'), false);
        expect(authentication).to.include({ status: 'failed' });
        expect(authentication.message).to.match(/token/);
        expect(agentConnection.status).to.equal('passed');
    });

    it('does not wait for an agent that is silent, at once or after its first word', async () => {
        const silent = await diagnosed(() => undefined, true, 30);
        expect(silent.agentConnection).to.include({ status: 'failed', message: 'The agent did not answer in time' });
        expect(silent.targets).to.be.null();
        pair?.stop();
        async function* never() {
            await new Promise(() => undefined);
            yield Buffer.from('');
        }
        const halting = await diagnosed(
            (request) => void request.respond(OK, never()).catch(() => undefined),
            true,
            200,
        );
        expect(halting.agentConnection.status).to.equal('passed');
        expect(halting.targets).to.be.null();
    });

    it('tells that the agent refuses, or is gone', async () => {
        const refused = await diagnosed((request) => request.fail('refused'));
        expect(refused.agentConnection).to.include({ status: 'failed' });
        expect(refused.agentConnection.message).to.match(/stopping/);
        pair?.stop();
        const failed = await diagnosed((request) => request.fail('unreachable'));
        expect(failed.agentConnection.message).to.equal('The agent cannot answer');
        pair?.stop();
        const gone = await diagnosed(() => pair?.sockets.agent.terminate());
        expect(gone.agentConnection.message).to.equal('The connection was lost');
    });

    it('takes no word of an agent that talks nonsense, or for ever', async () => {
        const whole = { endpoint: 'e', nameResolution: PROBE, upstream: PROBE };
        const wrong = [{}, [null], [{ ...whole, endpoint: 1 }], [{ ...whole, upstream: null }]];
        wrong.push([{ ...whole, upstream: { ...PROBE, status: 'fine' } }]);
        wrong.push([{ ...whole, nameResolution: { ...PROBE, durationMs: '1' } }]);
        wrong.push([{ ...whole, nameResolution: { ...PROBE, message: { a: 1 } } }]);
        const texts = ['', 'no', ...wrong.map((each) => JSON.stringify(each)), `[${' '.repeat(65_536)}]`];
        for (const text of texts) {
            const { targets, agentConnection } = await diagnosed(telling(text));
            expect(targets, text.slice(0, 200)).to.be.null();
            expect(agentConnection.status).to.equal('passed');
            pair?.stop();
        }
        const long = [{ ...whole, upstream: { ...PROBE, message: 'x'.repeat(5_000) } }];
        const { targets } = await diagnosed(telling(JSON.stringify(long)));
        expect(targets?.[0]?.upstream.message).to.have.length(300);
    });
});
