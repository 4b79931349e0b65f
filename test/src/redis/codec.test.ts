import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isoTime, RecordCodec, type RecordBase } from '../../../src/redis/codec.ts';

export const lab = Lab.script();
const { describe, it } = lab;

interface Note extends RecordBase {
    title: string | null;
    size: number;
    isOpen: boolean;
    tags: string[] | null;
    dueAt: string | null;
}

const codec = new RecordCodec<Note>({ title: 'text', size: 'number', isOpen: 'boolean', tags: 'json', dueAt: 'time' });
const NOON = Date.parse('2026-11-20T12:00:00.123Z');

describe('isoTime', () => {
    it('writes milliseconds since the epoch in UTC', () => {
        expect(isoTime(NOON)).to.equal('2026-11-20T12:00:00.123Z');
        expect(isoTime(0)).to.equal('1970-01-01T00:00:00.000Z');
    });
});

describe('RecordCodec', () => {
    const note: Note = {
        id: 'note_1',
        revision: 3,
        createdAt: isoTime(NOON),
        updatedAt: isoTime(NOON + 1),
        title: 'Ein Löwe\n🦁',
        size: 1.5,
        isOpen: true,
        tags: ['a', 'b'],
        dueAt: isoTime(NOON + 2),
    };

    it('reads what it wrote', () => {
        const { set, remove } = codec.encode(note);
        expect(codec.decode(set)).to.equal(note);
        expect(remove).to.equal([]);
    });

    it('writes times as milliseconds, booleans as 0 and 1, nested values as JSON', () => {
        const { set } = codec.encode({ isOpen: false, tags: [], dueAt: isoTime(NOON), size: 0, title: '' });
        expect(set).to.equal(['isOpen', '0', 'tags', '[]', 'dueAt', String(NOON), 'size', '0', 'title', '']);
        expect(codec.decode(['isOpen', '0', 'title', '']).isOpen).to.be.false();
        expect(codec.decode(['isOpen', '0', 'title', '']).title).to.equal('');
    });

    it('removes what is null and leaves alone what is undefined', () => {
        const changes = { title: null, dueAt: null, size: undefined, tags: ['a'] } as unknown as Partial<Note>;
        expect(codec.encode(changes)).to.equal({ set: ['tags', '["a"]'], remove: ['title', 'dueAt'] });
    });

    it('reads what is missing as null and leaves out what it does not know', () => {
        const read = codec.decode(['title', 'x', 'secret', 'y', 'id', 'note_1']);
        expect(read).to.equal({
            id: 'note_1',
            revision: null,
            createdAt: null,
            updatedAt: null,
            title: 'x',
            size: null,
            isOpen: null,
            tags: null,
            dueAt: null,
        } as never);
    });

    it('refuses a field that the record has not', () => {
        expect(() => codec.encode({ secret: 'y' } as Partial<Note>)).to.throw(TypeError, /no field secret/);
    });
});
