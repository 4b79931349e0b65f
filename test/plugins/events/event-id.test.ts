import { randomInt } from 'node:crypto';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { decodeTime } from 'ulid';

import { eventId, streamIdOf } from '../../../plugins/events/event-id.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const TENANT = 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

describe('eventId', () => {
    it('is a ULID of the time of the event', () => {
        const id = eventId(TENANT, '1795170600000-7');
        expect(id).to.match(/^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
        expect(decodeTime(id.slice(4))).to.equal(1_795_170_600_000);
    });

    it('leads back to the place in the stream', () => {
        const places = Array.from({ length: 500 }, () => `${randomInt(2 ** 47)}-${randomInt(2 ** 32)}`);
        for (const place of ['0-0', '0-1', '281474976710655-4294967295', ...places]) {
            expect(streamIdOf(TENANT, eventId(TENANT, place))).to.equal(place);
        }
    });

    it('is in the order of the stream', () => {
        const places = ['5-0', '5-1', '5-9', '5-10', '6-0', '60-0', '600-3'];
        const ids = places.map((place) => eventId(TENANT, place));
        expect(ids.toSorted()).to.equal(ids);
        expect(new Set(ids).size).to.equal(places.length);
    });

    it('is another one for another tenant', () => {
        expect(eventId('tenant_other', '5-1')).to.not.equal(eventId(TENANT, '5-1'));
    });

    it('refuses a sequence that does not fit', () => {
        expect(() => eventId(TENANT, '5-4294967296')).to.throw(RangeError);
    });
});

describe('streamIdOf', () => {
    it('refuses what is no id of an event of the tenant', () => {
        const id = eventId(TENANT, '1795170600000-7');
        expect(streamIdOf('tenant_other', id)).to.be.null();
        const last = id.endsWith('0') ? '1' : '0';
        const wrong = [
            '',
            'evt_',
            id.slice(4),
            id.toLowerCase(),
            `${id}0`,
            `evt_8${id.slice(5)}`,
            id.slice(0, -1) + last,
        ];
        for (const text of wrong) expect(streamIdOf(TENANT, text), text).to.be.null();
    });
});
