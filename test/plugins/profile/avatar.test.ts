import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { JPEG, PNG, WEBP } from '../../helpers/images.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const ROUTE = '/api/profile/avatar';
const MAX_BYTES = 262_144;

describe(ROUTE, () => {
    let app: TestApp;
    let ada: TestTenant;

    before(async () => {
        app = await startApp();
    });

    beforeEach(async () => {
        ada = await newTenant(app);
    });

    after(() => app.stop());

    const put = (payload: Buffer | string, type = 'image/png') =>
        ada.call('PUT', ROUTE, { payload, headers: { 'content-type': type } });
    const state = async () => (await ada.call('GET', '/api/profile')).body.data.user.avatar;
    /** The bytes as they go over the wire. */
    const download = (headers: Record<string, string> = {}) =>
        app.server.inject({ url: ROUTE, headers: { authorization: `Bearer ${ada.accessToken}`, ...headers } });

    for (const [bytes, type, sentAs] of [
        [PNG, 'image/png', 'image/png'],
        [JPEG, 'image/jpeg', 'image/jpeg'],
        [WEBP, 'image/webp', 'image/webp'],
        [JPEG, 'image/jpeg', 'image/png'],
    ] as [Buffer, string, string][]) {
        it(`keeps and shows ${type} that was sent as ${sentAs}`, async () => {
            const { status, body } = await put(bytes, sentAs);
            expect(status).to.equal(200);
            expect(body.data.avatar).to.include({ configured: true, contentType: type, size: bytes.length });
            expect(await state()).to.equal(body.data.avatar);
            const { rawPayload, headers, statusCode } = await download();
            expect(statusCode).to.equal(200);
            expect(rawPayload.equals(bytes)).to.be.true();
            expect(headers).to.include({
                'content-type': type,
                'x-content-type-options': 'nosniff',
                'cache-control': 'private, no-cache',
                'content-disposition': `inline; filename="avatar.${type.slice(6)}"`,
                'content-security-policy': "default-src 'none'; sandbox",
            });
        });
    }

    it('is not sent again to whoever has it', async () => {
        await put(PNG);
        const { etag = '' } = (await download()).headers as Record<string, string>;
        expect((await download({ 'if-none-match': etag })).statusCode).to.equal(304);
        await put(JPEG);
        expect((await download({ 'if-none-match': etag })).statusCode).to.equal(200);
    });

    it('may have 256 KiB and not a byte more', async () => {
        const image = Buffer.concat([PNG, Buffer.alloc(MAX_BYTES - PNG.length)]);
        expect((await put(image)).status).to.equal(200);
        expect((await download()).rawPayload.equals(image)).to.be.true();
        expectError(await put(Buffer.concat([image, Buffer.alloc(1)])), 'PAYLOAD_TOO_LARGE');
        expect(await state()).to.include({ size: MAX_BYTES });
    });

    it('is refused when it is no image, whatever it is sent as', async () => {
        const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
        const others = [svg, '', 'GIF89a', PNG.subarray(0, 7), PNG.subarray(1), WEBP.subarray(0, 8)];
        for (const bytes of others) expectError(await put(Buffer.from(bytes)), 'UNSUPPORTED_MEDIA_TYPE');
        for (const type of ['image/svg+xml', 'text/html', 'application/json', 'image/gif']) {
            expectError(await put(PNG, type), 'UNSUPPORTED_MEDIA_TYPE');
        }
        expect(await state()).to.equal({ configured: false });
    });

    it('is deleted once', async () => {
        await put(PNG);
        expect((await ada.call('DELETE', ROUTE)).body.data).to.equal({ avatar: { configured: false } });
        expectError(await ada.call('DELETE', ROUTE), 'AVATAR_NOT_FOUND');
        expectError(await ada.call('GET', ROUTE), 'AVATAR_NOT_FOUND');
        expect(await state()).to.equal({ configured: false });
        const actions = (await readAudit(app, ada.tenantId)).map(({ action }) => action);
        expect(actions.slice(-2)).to.equal(['avatar.put', 'avatar.delete']);
    });

    it('is the own one of each user', async () => {
        await put(PNG);
        const bob = await newUser(app, ada.tenantId, 'user');
        expectError(await bob.call('GET', ROUTE), 'AVATAR_NOT_FOUND');
        for (const method of ['PUT', 'GET', 'DELETE']) expectError(await app.call(method, ROUTE), 'UNAUTHENTICATED');
    });

    it('changes the revision of the profile', async () => {
        const { etag = '' } = (await ada.call('GET', '/api/profile')).headers;
        await put(PNG);
        expect((await ada.call('GET', '/api/profile')).headers.etag).to.not.equal(etag);
    });
});
