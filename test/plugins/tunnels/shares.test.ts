import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { TUNNEL_NEWS } from '../../../plugins/tunnels/api.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newEndpoint, newShare, newTunnel, portOf } from '../../helpers/tunnel.ts';
import { newUser, setUserField, type TestUser } from '../../helpers/user.ts';

import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

let app: TestApp;
let ada: TestTenant;
let bob: TestUser;
let id: string;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
    bob = await newUser(app, ada.tenantId, 'user');
    id = await newTunnel(ada);
});

after(() => app.stop());

const share = (payload: object) => ada.call('POST', `/api/tunnels/${id}/shares`, { payload });
const unshare = (shareId: string) => ada.call('DELETE', `/api/tunnels/${id}/shares/${shareId}`);
const sharesOf = async () => (await ada.call('GET', `/api/tunnels/${id}/shares`)).body.data.shares;
const activityOf = async () => (await ada.call('GET', `/api/tunnels/${id}/activity`)).body.data.entries;
const actorOf = (user: { userId: string }) => ({ tenantId: ada.tenantId, userId: user.userId }) as Actor;

describe('POST /api/tunnels/{tunnelId}/shares', () => {
    it('shares with a user to read, who sees and uses it, and changes nothing', async () => {
        const { status, body } = await share({ userId: bob.userId });
        expect(status).to.equal(201);
        expect(Object.keys(body.data)).to.equal(['share']);
        expect(body.data.share).to.include({
            type: 'user',
            userId: bob.userId,
            access: 'read',
            expiresAt: null,
            uses: 0,
        });
        const path = `/api/tunnels/${id}`;
        expect((await bob.call('GET', path)).body.data.tunnel.access).to.equal('read');
        for (const what of ['status', 'health', 'metrics', 'activity', 'endpoints']) {
            expect((await bob.call('GET', `${path}/${what}`)).status).to.equal(200);
        }
        for (const [method, what, payload] of [
            ['PATCH', '', { name: 'mine' }],
            ['DELETE', '', undefined],
            ['POST', '/start', undefined],
            ['POST', '/stop', undefined],
            ['POST', '/token', undefined],
            ['POST', '/endpoints', { url: 'http://localhost' }],
            ['GET', '/shares', undefined],
            ['POST', '/shares', {}],
        ] as const) {
            expectError(await bob.call(method, path + what, payload ? { payload } : {}), 'FORBIDDEN');
        }
        expect((await bob.call('GET', '/api/tunnels')).body.data.tunnels).to.equal([]);
        const listed = await bob.call('GET', '/api/tunnels?shared=true');
        expect(listed.body.data.tunnels).to.have.length(1);
        expect(listed.body.data.tunnels[0]).to.include({ id, access: 'read', userId: ada.userId });
    });

    it('shares with a user to write, who changes, starts and stops it, and does not own it', async () => {
        await newShare(ada, id, { userId: bob.userId, access: 'write' });
        const path = `/api/tunnels/${id}`;
        const changed = await bob.call('PATCH', path, { payload: { name: 'ours' } });
        expect(changed.body.data.tunnel).to.include({ name: 'ours', access: 'write', userId: ada.userId });
        for (const operation of ['start', 'stop']) {
            expect((await bob.call('POST', `${path}/${operation}`)).status).to.equal(200);
        }
        const endpointId = await newEndpoint(bob, id);
        expect((await bob.call('DELETE', `${path}/endpoints/${endpointId}`)).status).to.equal(200);
        for (const [method, what] of [
            ['DELETE', ''],
            ['POST', '/token'],
            ['GET', '/shares'],
        ] as const) {
            expectError(await bob.call(method, path + what), 'FORBIDDEN');
        }
        const { userId } = bob;
        expect((await activityOf()).find(({ type }: { type: string }) => type === 'updated').userId).to.equal(userId);
        const audit = await readAudit(app, ada.tenantId);
        expect(audit.find(({ action }) => action === 'tunnel.start')).to.include({ userId, resourceId: id });
    });

    it('shares once with a user, also when it is asked for at once, and not with the owner', async () => {
        const answers = await Promise.all([1, 2, 3, 4].map(() => share({ userId: bob.userId })));
        expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.equal([201, 409, 409, 409]);
        expectError(await share({ userId: bob.userId }), 'ALREADY_SHARED');
        expectError(await share({ userId: ada.userId }), 'ALREADY_SHARED');
        expect(await sharesOf()).to.have.length(1);
    });

    it('refuses users that are not there: of another tenant, or disabled', async () => {
        const { userId } = await newTenant(app);
        expectError(await share({ userId }), 'USER_NOT_FOUND');
        await setUserField(app, ada.tenantId, bob.userId, 'isActive', '0');
        expectError(await share({ userId: bob.userId }), 'USER_NOT_FOUND');
    });

    for (const [what, payload, fields] of [
        ['an id of something else', { userId: 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' }, ['userId']],
        ['another access', { userId: 'user_01K9ZQ4V7N8M3T5R2W6X1Y0ABC', access: 'owner' }, ['access']],
        ['no uses', { maxUses: 0 }, ['maxUses']],
        ['an unknown field', { tokenHash: 'x' }, ['tokenHash']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await share(payload), [...fields]);
        });
    }

    it('refuses an access of a token, and uses of a user', async () => {
        expectError(await share({ access: 'write' }), 'VALIDATION_ERROR');
        expectError(await share({ userId: bob.userId, maxUses: 1 }), 'VALIDATION_ERROR');
    });
});

describe('DELETE /api/tunnels/{tunnelId}/shares/{shareId}', () => {
    it('ends it at once, and tells the replicas whose it was', async () => {
        const { id: shareId } = await newShare(ada, id, { userId: bob.userId });
        const told: string[] = [];
        const subscriber = app.redis.duplicate({ enableOfflineQueue: true });
        await subscriber.subscribe(TUNNEL_NEWS);
        const news = new Promise<void>((resolve) => {
            subscriber.on('message', (_channel, text: string) => {
                if (!text.includes(id)) return;
                told.push(text);
                resolve();
            });
        });
        await unshare(shareId);
        await news;
        subscriber.disconnect();
        const { userId } = bob;
        const message = { kind: 'share_revoked', tenantId: ada.tenantId, tunnelId: id, shareId, userId };
        expect(told.map((text) => JSON.parse(text) as object)).to.equal([message]);
        expectError(await bob.call('GET', `/api/tunnels/${id}`), 'TUNNEL_NOT_FOUND');
        expect((await bob.call('GET', '/api/tunnels?shared=true')).body.data.tunnels).to.equal([]);
        await expect(portOf(app).use(actorOf(bob), id)).to.reject();
        expectError(await unshare(shareId), 'SHARE_NOT_FOUND');
        await newShare(ada, id, { userId: bob.userId, access: 'write' });
    });

    it('knows only shares of the tunnel that it names', async () => {
        const other = await newTunnel(ada, 'other');
        const { id: shareId } = await newShare(ada, other);
        expectError(await unshare(shareId), 'SHARE_NOT_FOUND');
    });
});

describe('use', () => {
    it('counts what is used by a share, for it, and not what its owner uses', async () => {
        const { id: shareId } = await newShare(ada, id, { userId: bob.userId });
        expect((await portOf(app).use(actorOf(ada), id)).shareId).to.be.null();
        for (let times = 0; times < 2; times++) {
            expect((await portOf(app).use(actorOf(bob), id)).shareId).to.equal(shareId);
        }
        await portOf(app).flush();
        expect((await sharesOf())[0]).to.include({ uses: 2 });
        const [entry] = await activityOf();
        expect(entry).to.include({ type: 'share_used', userId: bob.userId, details: { shareId, count: '2' } });
    });

    it('leaves nothing of a share that was taken back meanwhile', async () => {
        const { id: shareId } = await newShare(ada, id, { userId: bob.userId });
        await portOf(app).use(actorOf(bob), id);
        await unshare(shareId);
        await portOf(app).flush();
        expect(await sharesOf()).to.equal([]);
        expect(await app.redis.keys(`*${shareId}*`)).to.equal([]);
    });
});
