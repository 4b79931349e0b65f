import { text } from 'node:stream/consumers';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { RelayFailure } from '../../../plugins/tunnels/api.ts';
import { modelSource } from '../../../plugins/tunnels/model-source.ts';
import { TunnelStore } from '../../../plugins/tunnels/store.ts';
import { isApiError, type ApiError } from '../../../src/http/errors.ts';
import { Vault } from '../../../src/security/vault.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { countCommands } from '../../helpers/count-commands.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { linkUp, newRunningTunnel, newShare, portOf } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

import type { TunnelService } from '../../../plugins/tunnels/api.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

describe('modelSource', () => {
    let app: TestApp;
    let ada: TestTenant;
    let now: () => number;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
        now = Date.now;
    });

    after(() => app.stop());

    const source = (port: Pick<TunnelService, 'get' | 'relay'> = portOf(app)) => {
        const store = new TunnelStore(app.store, new Vault(app.config.VAULT_KEYS), () => '');
        return modelSource({ tunnels: port, store, clock: () => now() });
    };
    const placeOf = (tunnelId: string) => ({ tenantId: ada.tenantId, tunnelId });
    const connectedTunnel = async (name: string) => {
        const { tunnelId } = await newRunningTunnel(ada, name);
        const { connectionId } = await linkUp(app, placeOf(tunnelId));
        const { tokenHash } = await portOf(app).get(ada, tunnelId, 'read');
        await portOf(app).keepLink(placeOf(tunnelId), { connectionId, tokenHash });
        return { tunnelId, connectionId };
    };
    const namesOf = async (user: { tenantId: string; userId: string } = ada, most = 20) =>
        (await source().connected(user, most)).map(({ name }) => name);

    it('has the connected tunnels of the user, the newest first, so many at most, in two reads', async () => {
        await connectedTunnel('one');
        await connectedTunnel('two');
        const gone = await connectedTunnel('three');
        await portOf(app).linkDown(placeOf(gone.tunnelId), gone.connectionId, 'gone');
        expect(await namesOf()).to.equal(['two', 'one']);
        expect(await namesOf(ada, 1)).to.equal(['two']);
        expect(await countCommands(app.redis, () => namesOf())).to.have.length(2);
    });

    it('tells in errors of the catalogue why an answer breaks off', async () => {
        for (const [failure, code, reason] of [
            [new RelayFailure('timeout'), 'TUNNEL_TIMEOUT', undefined],
            [new RelayFailure('lost'), 'TUNNEL_ERROR', 'lost'],
            [new Error('Reset'), 'TUNNEL_ERROR', 'internal'],
        ] as const) {
            const body = {
                [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }),
            };
            const relay = () => Promise.resolve({ status: 200, headers: [], body });
            const request = {
                head: { method: 'GET', path: '/', headers: [] },
                body: null,
                gone: new AbortController().signal,
            };
            const answer = await source({ ...portOf(app), relay }).request(ada, 'tun_x', request);
            const error = await text(answer.body).catch((thrown: unknown) => thrown);
            expect(isApiError(error, code), code).to.be.true();
            expect((error as ApiError).data?.details?.reason).to.equal(reason);
        }
    });

    it('has none whose link nobody keeps any more', async () => {
        await connectedTunnel('one');
        now = () => Date.now() + 31_000;
        expect(await namesOf()).to.be.empty();
    });

    it('has what is shared with the user, as long as it is', async () => {
        const { tunnelId } = await connectedTunnel('one');
        const { userId } = await newUser(app, ada.tenantId, 'user');
        const bob = { tenantId: ada.tenantId, userId };
        expect(await namesOf(bob)).to.be.empty();
        await expect(source().check(bob, tunnelId)).to.reject('There is no such tunnel.');
        const share = await newShare(ada, tunnelId, { userId, access: 'read' });
        expect(await namesOf(bob)).to.equal(['one']);
        await source().check(bob, tunnelId);
        await ada.call('DELETE', `/api/tunnels/${tunnelId}/shares/${share.id}`);
        expect(await namesOf(bob)).to.be.empty();
        const stranger = await newTenant(app);
        await expect(source().check(stranger, tunnelId)).to.reject('There is no such tunnel.');
    });
});
