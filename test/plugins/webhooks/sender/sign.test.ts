import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Webhook } from 'standardwebhooks';

import { newSecret } from '../../../../plugins/webhooks/sender/index.ts';
import { signedHeaders } from '../../../../plugins/webhooks/sender/sign.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const body = '{"type":"thread.created","data":{"title":"Grüße 😀"}}';
const message = (time = new Date()) => ({ id: 'evt_1', body, time });

describe('newSecret', () => {
    it('is another one each time, of 24 to 64 bytes', () => {
        const secrets = Array.from({ length: 100 }, newSecret);
        expect(new Set(secrets).size).to.equal(100);
        for (const secret of secrets) {
            expect(secret).to.match(/^whsec_[A-Za-z0-9+/]+=*$/);
            expect(Buffer.from(secret.slice(6), 'base64').length).to.be.between(23, 65);
        }
    });
});

describe('signedHeaders', () => {
    it('gives headers that the public library verifies', () => {
        const secret = newSecret();
        const headers = signedHeaders(message(), [secret]);
        expect(Object.keys(headers)).to.equal(['webhook-id', 'webhook-timestamp', 'webhook-signature']);
        expect(headers['webhook-id']).to.equal('evt_1');
        expect(new Webhook(secret).verify(body, headers)).to.equal(JSON.parse(body));
    });

    it('is the signature of the specification’s own example', () => {
        const time = new Date(1_614_265_330_999);
        const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}', time };
        expect(signedHeaders(example, ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])).to.equal({
            'webhook-id': example.id,
            'webhook-timestamp': '1614265330',
            'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
        });
    });

    it('signs with each of two secrets, so that either verifies', () => {
        const secrets = [newSecret(), newSecret()];
        const headers = signedHeaders(message(), secrets);
        expect(headers['webhook-signature']).to.match(/^v1,[A-Za-z0-9+/]+= v1,[A-Za-z0-9+/]+=$/);
        for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).to.exist();
    });

    it('is not verified with another secret, body, id or time', () => {
        const secret = newSecret();
        const headers = signedHeaders(message(), [secret]);
        const fails = (changes: Record<string, string>, { text = body, by = secret } = {}) =>
            expect(() => new Webhook(by).verify(text, { ...headers, ...changes })).to.throw();
        fails({}, { by: newSecret() });
        fails({}, { text: `${body} ` });
        fails({ 'webhook-id': 'evt_2' });
        fails({ 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) });
    });
});
