import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { tenantKey } from '../../../src/redis/keys.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { linkUp, newRunningTunnel, newsOf, newTunnel, newTunnelWithToken, portOf } from '../../helpers/tunnel.ts';
import { newUser, setUserField } from '../../helpers/user.ts';
import { eventsOf } from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);
const AGENT = 'llm-tunnel/1.0.0';

let app: TestApp;
let ada: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
});

after(() => app.stop());

const placeOf = (tunnelId: string) => ({ tenantId: ada.tenantId, tunnelId });
const operate = (id: string, operation: string) => ada.call('POST', `/api/tunnels/${id}/${operation}`);
const statusOf = async (id: string) => (await ada.call('GET', `/api/tunnels/${id}/status`)).body.data.status;
const changesOf = async () =>
    (await eventsOf(app, ada.tenantId, 'tunnel.status_changed')).map(({ data }) => `${data.from} ${data.to}`);

describe('POST /api/tunnels/{tunnelId}/start', () => {
    it('has it wait for its agent, once, also when it is asked for at once', async () => {
        const id = await newTunnel(ada);
        const answers = await Promise.all([1, 2, 3, 4, 5].map(() => operate(id, 'start')));
        expect(statusesOf(answers)).to.equal([200, 409, 409, 409, 409]);
        const error = expectError(await operate(id, 'start'), 'INVALID_STATE');
        expect(error.details).to.equal({ from: 'connecting', to: 'connecting' });
        expect(await statusOf(id)).to.include({ status: 'connecting', desired: 'running', isConnected: false });
        expect(await changesOf()).to.equal(['created connecting']);
        const started = (await readAudit(app, ada.tenantId)).filter(({ action }) => action === 'tunnel.start');
        expect(started).to.have.length(1);
    });

    it('is refused while it is connected', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        await linkUp(app, placeOf(tunnelId));
        expect(expectError(await operate(tunnelId, 'start'), 'INVALID_STATE').details.from).to.equal('connected');
    });
});

describe('POST /api/tunnels/{tunnelId}/stop', () => {
    it('ends what is running, once, and tells the replicas', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        await linkUp(app, placeOf(tunnelId));
        const news = await newsOf(app, tunnelId);
        const answers = await Promise.all([1, 2, 3, 4].map(() => operate(tunnelId, 'stop')));
        expect(statusesOf(answers)).to.equal([200, 409, 409, 409]);
        expect(await statusOf(tunnelId)).to.include({ status: 'disconnected', desired: 'stopped', reason: 'stopped' });
        expect(await news.all()).to.equal([{ kind: 'stopped', ...placeOf(tunnelId) }]);
        expect((await changesOf()).at(-1)).to.equal('connected disconnected');
    });

    it('is refused before it was started', async () => {
        const id = await newTunnel(ada);
        expect(expectError(await operate(id, 'stop'), 'INVALID_STATE').details.from).to.equal('created');
    });

    it('also stops one whose agent is away, and it may be started again', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const { connectionId } = await linkUp(app, placeOf(tunnelId));
        await portOf(app).linkDown(placeOf(tunnelId), connectionId, 'gone');
        expect((await operate(tunnelId, 'stop')).body.data.tunnel).to.include({
            desired: 'stopped',
            reason: 'stopped',
        });
        expect((await linkUp(app, placeOf(tunnelId))).verdict).to.equal('stopped');
        expect((await operate(tunnelId, 'start')).body.data.tunnel).to.include({ status: 'connecting', reason: null });
        expect((await linkUp(app, placeOf(tunnelId))).verdict).to.equal('connected');
    });

    it('and start, by turns on two replicas, end as the last one that was taken', async () => {
        const [one, two] = await startReplicas();
        const tenant = await newTenant(one);
        const { tunnelId } = await newRunningTunnel(tenant);
        const token = tenant.accessToken;
        const calls = Array.from({ length: 12 }, (_, n) =>
            (n % 2 ? one : two).call('POST', `/api/tunnels/${tunnelId}/${n % 3 ? 'start' : 'stop'}`, { token }),
        );
        const taken = (await Promise.all(calls)).filter(({ status }) => status === 200);
        const changes = (await eventsOf(one, tenant.tenantId, 'tunnel.status_changed')).slice(1);
        expect(changes).to.have.length(taken.length);
        const steps = changes.map(({ data }) => `${data.from} ${data.to}`);
        for (const [n, step] of steps.entries()) {
            expect(step).to.equal(n % 2 ? 'disconnected connecting' : 'connecting disconnected');
        }
        const { body } = await two.call('GET', `/api/tunnels/${tunnelId}/status`, { token });
        expect(body.data.status.status).to.equal(changes.at(-1)?.data.to);
        await one.stop();
        await two.stop();
    });
});

describe('linkUp', () => {
    it('connects a tunnel that was started, with an event', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const { verdict, connectionId, epoch } = await linkUp(app, placeOf(tunnelId));
        expect(verdict).to.equal('connected');
        const status = await statusOf(tunnelId);
        expect(status).to.include({ status: 'connected', isConnected: true, agent: AGENT, reason: null });
        expect(status.connectedAt).to.be.a.string();
        expect(await changesOf()).to.equal(['created connecting', 'connecting connected']);
        // Told twice.
        expect(await portOf(app).linkUp(placeOf(tunnelId), { connectionId, epoch, agent: AGENT })).to.equal(
            'connected',
        );
        expect(await changesOf()).to.have.length(2);
    });

    it('is refused for a tunnel that was not started, is stopped or deleted', async () => {
        const id = await newTunnel(ada);
        expect((await linkUp(app, placeOf(id))).verdict).to.equal('stopped');
        await operate(id, 'start');
        await operate(id, 'stop');
        expect((await linkUp(app, placeOf(id))).verdict).to.equal('stopped');
        await ada.call('DELETE', `/api/tunnels/${id}`);
        expect((await linkUp(app, placeOf(id))).verdict).to.equal('deleted');
        expect(await app.redis.exists(tenantKey(ada.tenantId, 'tunnel', id))).to.equal(0);
    });

    it('gives each link a higher epoch, and takes none that is not newer than the last', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const place = placeOf(tunnelId);
        const epochs = await Promise.all(Array.from({ length: 5 }, () => portOf(app).nextEpoch(place)));
        expect(epochs.toSorted((a, b) => a - b)).to.equal([1, 2, 3, 4, 5]);
        const up = (epoch: number) => portOf(app).linkUp(place, { connectionId: `of-${epoch}`, epoch, agent: AGENT });
        expect(await up(4)).to.equal('connected');
        expect(await up(3)).to.equal('replaced');
        expect(await up(5)).to.equal('connected');
        expect(await up(4)).to.equal('replaced');
        await portOf(app).linkDown(place, 'of-5', 'gone');
        expect(await up(4)).to.equal('replaced');
        expect((await statusOf(tunnelId)).status).to.equal('disconnected');
    });

    it('of several at once ends with the newest', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const place = placeOf(tunnelId);
        const ups = await Promise.all(Array.from({ length: 8 }, () => linkUp(app, place)));
        const newest = ups.toSorted((one, other) => other.epoch - one.epoch)[0];
        const stored = await portOf(app).get(actorOf(), tunnelId, 'read');
        expect(stored.connectionId).to.equal(newest?.connectionId ?? '');
        expect(newest?.verdict).to.equal('connected');
    });

    it('is refused when the token has changed since it was checked', async () => {
        const { tunnel, token } = await newTunnelWithToken(ada);
        await operate(tunnel.id, 'start');
        const found = await portOf(app).authenticate(tunnel.id, token);
        const tokenHash = found?.tunnel.tokenHash ?? '';
        await operate(tunnel.id, 'token');
        expect((await linkUp(app, placeOf(tunnel.id), { tokenHash })).verdict).to.equal('token_changed');
        expect((await statusOf(tunnel.id)).status).to.equal('connecting');
    });
});

const actorOf = () => ({ tenantId: ada.tenantId, userId: ada.userId }) as never;

describe('linkDown', () => {
    it('disconnects, with the reason; in error when the agent broke the rules', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const place = placeOf(tunnelId);
        const first = await linkUp(app, place);
        await portOf(app).linkDown(place, first.connectionId, 'dead peer');
        expect(await statusOf(tunnelId)).to.include({
            status: 'disconnected',
            desired: 'running',
            reason: 'dead peer',
        });
        const second = await linkUp(app, place);
        await portOf(app).linkDown(place, second.connectionId, 'protocol', true);
        expect(await statusOf(tunnelId)).to.include({ status: 'error', reason: 'protocol' });
        expect((await linkUp(app, place)).verdict).to.equal('connected');
        expect((await changesOf()).slice(2)).to.equal([
            'connected disconnected',
            'disconnected connected',
            'connected error',
            'error connected',
        ]);
    });

    it('changes nothing when it tells of an old link', async () => {
        const { tunnelId } = await newRunningTunnel(ada);
        const place = placeOf(tunnelId);
        const old = await linkUp(app, place);
        await linkUp(app, place);
        await portOf(app).linkDown(place, old.connectionId, 'late');
        expect(await statusOf(tunnelId)).to.include({ status: 'connected', reason: null });
        await operate(tunnelId, 'stop');
        await portOf(app).linkDown(place, old.connectionId, 'late');
        expect((await statusOf(tunnelId)).reason).to.equal('stopped');
        await ada.call('DELETE', `/api/tunnels/${tunnelId}`);
        await portOf(app).linkDown(place, old.connectionId, 'late');
        expect(await app.redis.exists(tenantKey(ada.tenantId, 'tunnel', tunnelId))).to.equal(0);
    });
});

describe('authenticate', () => {
    it('knows the token of the tunnel, and no other', async () => {
        const { tunnel, token } = await newTunnelWithToken(ada, 'one');
        const other = await newTunnelWithToken(ada, 'two');
        const authenticate = (text: string) => portOf(app).authenticate(tunnel.id, text);
        const found = await authenticate(token);
        expect(found).to.include({ tenantId: ada.tenantId });
        expect(found?.tunnel.id).to.equal(tunnel.id);
        const altered = `${String(token).slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
        for (const text of ['', 'tun_x', altered, other.token, `${token}A`, String(token).replace('tun_', 'share_')]) {
            expect(await authenticate(text), text).to.be.null();
        }
        await ada.call('DELETE', `/api/tunnels/${tunnel.id}`);
        expect(await authenticate(token)).to.be.null();
    });

    it('refuses the old token once there is a new one, and tells the replicas', async () => {
        const { tunnel, token } = await newTunnelWithToken(ada);
        const news = await newsOf(app, tunnel.id);
        const { body } = await operate(tunnel.id, 'token');
        expect(body.data.token).to.not.equal(token);
        expect(body.data.tunnel.revision).to.equal(2);
        expect(await news.all()).to.equal([{ kind: 'token_changed', ...placeOf(tunnel.id) }]);
        expect(await portOf(app).authenticate(tunnel.id, token)).to.be.null();
        expect(await portOf(app).authenticate(tunnel.id, body.data.token)).to.not.be.null();
        const [event] = await eventsOf(app, ada.tenantId, 'tunnel.updated');
        expect(event?.data.tunnelId).to.equal(tunnel.id);
    });

    it('refuses while the tenant or the owner is not in standing, and so does keepLink', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const { tunnelId, token } = await newRunningTunnel(bob);
        const place = placeOf(tunnelId);
        const { connectionId } = await linkUp(app, place);
        const tokenHash = (await portOf(app).authenticate(tunnelId, token))?.tunnel.tokenHash ?? '';
        const isKept = () => portOf(app).keepLink(place, { connectionId, tokenHash });
        const isKnown = async () => (await portOf(app).authenticate(tunnelId, token)) !== null;
        expect([await isKept(), await isKnown()]).to.equal([true, true]);
        await setUserField(app, ada.tenantId, bob.userId, 'isActive', '0');
        expect([await isKept(), await isKnown()]).to.equal([false, false]);
        await setUserField(app, ada.tenantId, bob.userId, 'isActive', '1');
        const tenant = app.server.plugins.tenants.key(ada.tenantId);
        await app.redis.hset(tenant, 'status', 'suspended');
        expect([await isKept(), await isKnown()]).to.equal([false, false]);
        await app.redis.hset(tenant, 'status', 'active');
        expect([await isKept(), await isKnown()]).to.equal([true, true]);
    });
});

describe('keepLink', () => {
    it('lets go of a link that was replaced or stopped, or whose token has changed', async () => {
        const { tunnelId, token } = await newRunningTunnel(ada);
        const place = placeOf(tunnelId);
        const hashNow = async (text: string) =>
            (await portOf(app).authenticate(tunnelId, text))?.tunnel.tokenHash ?? '';
        const tokenHash = await hashNow(token);
        const first = await linkUp(app, place);
        const second = await linkUp(app, place);
        const isKept = (connectionId: string, hash = tokenHash) =>
            portOf(app).keepLink(place, { connectionId, tokenHash: hash });
        expect([await isKept(first.connectionId), await isKept(second.connectionId)]).to.equal([false, true]);
        const { body } = await operate(tunnelId, 'token');
        expect(await isKept(second.connectionId)).to.be.false();
        expect(await isKept(second.connectionId, await hashNow(body.data.token))).to.be.true();
        await operate(tunnelId, 'stop');
        expect(await isKept(second.connectionId, await hashNow(body.data.token))).to.be.false();
    });

    it('shows one that nobody keeps any more as disconnected', async () => {
        const own = await startApp();
        const tenant = await newTenant(own);
        const { tunnelId, token } = await newRunningTunnel(tenant);
        const place = { tenantId: tenant.tenantId, tunnelId };
        const { connectionId } = await linkUp(own, place);
        const tokenHash = (await portOf(own).authenticate(tunnelId, token))?.tunnel.tokenHash ?? '';
        const keep = () => portOf(own).keepLink(place, { connectionId, tokenHash });
        const shown = async () => (await tenant.call('GET', `/api/tunnels/${tunnelId}`)).body.data.tunnel;
        await keep();
        await own.advance(29_000);
        expect((await shown()).status).to.equal('connected');
        await keep();
        await own.advance(29_000);
        expect((await shown()).status).to.equal('connected');
        await own.advance(2_000);
        expect(await shown()).to.include({ status: 'disconnected', reason: 'lost' });
        // Nobody has asked about the new one yet.
        await linkUp(own, place);
        expect(await shown()).to.include({ status: 'connected', reason: null });
        await own.stop();
    });
});
