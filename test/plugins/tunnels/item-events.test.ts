import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { eventsOf } from '../../helpers/billing.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newEndpoint, newShare, newTunnel } from '../../helpers/tunnel.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('the events of what belongs to a tunnel', () => {
    let app: TestApp;
    let ada: TestTenant;
    let tunnelId: string;

    before(async () => {
        app = await startApp();
        ada = await newTenant(app);
        tunnelId = await newTunnel(ada);
    });

    after(() => app.stop());

    const told = (type: string) => eventsOf(app, ada.tenantId, type);

    it('tell of endpoints, and of nothing that was refused', async () => {
        const endpointId = await newEndpoint(ada, tunnelId);
        const path = `/api/tunnels/${tunnelId}/endpoints/${endpointId}`;
        await ada.call('PATCH', path, { payload: { priority: 9 } });
        const late = await ada.call('PATCH', path, { payload: { priority: 8 }, headers: { 'if-match': '"1"' } });
        expect(late.status).to.equal(412);
        for (let times = 0; times < 2; times++) await ada.call('DELETE', path);
        const data = { tunnelId, userId: ada.userId, endpointId };
        for (const happened of ['added', 'updated', 'deleted']) {
            expect(await told(`tunnel.endpoint_${happened}`), happened).to.equal([data]);
        }
    });

    it('tell of shares, whose they are', async () => {
        const bob = await newUser(app, ada.tenantId, 'user');
        const { id: shareId } = await newShare(ada, tunnelId, { userId: bob.userId });
        await ada.call('DELETE', `/api/tunnels/${tunnelId}/shares/${shareId}`);
        const data = { tunnelId, userId: ada.userId, shareId };
        expect(await told('tunnel.shared')).to.equal([data]);
        expect(await told('tunnel.unshared')).to.equal([data]);
    });
});
