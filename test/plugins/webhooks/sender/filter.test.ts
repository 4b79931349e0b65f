import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { filterSchema, matches } from '../../../../plugins/webhooks/sender/index.ts';
import { testEvent } from '../../../helpers/hook-sender.ts';

import type { Comparison, EventFilter } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const event = testEvent({
    type: 'thread.message.created',
    data: { count: 5, title: 'Hello', done: false, note: null, tags: ['a', 'b'], model: { id: 'm1' } },
});

const fits = (...events: string[]): boolean => matches({ events, conditions: [] }, event);

const holds = (field: string, comparison: Comparison, value?: unknown): boolean =>
    matches({ events: ['*'], conditions: [{ field, comparison, value }] }, event);

describe('matches', () => {
    it('fits a type as it is, and where * stands for any of its characters', () => {
        const patterns = [
            '*',
            'thread.message.created',
            'thread.*',
            '*.created',
            'thread.*.created',
            't*m*d',
            '**',
            'thread.message.created*',
        ];
        for (const pattern of patterns) expect(fits(pattern), pattern).to.be.true();
    });

    it('fits no other type', () => {
        const patterns = [
            '',
            'thread',
            'thread.message',
            'message.*',
            '*.deleted',
            'threads.*',
            'thread.*.*.created',
            'thread.message.create',
            'thread.message.created*d',
            'thread.message.*created.',
            '*thread.message.created.*',
        ];
        for (const pattern of patterns) expect(fits(pattern), pattern).to.be.false();
    });

    it('takes no character twice', () => {
        expect(matches({ events: ['a*a'], conditions: [] }, testEvent({ type: 'a' }))).to.be.false();
        expect(matches({ events: ['ab*b*b'], conditions: [] }, testEvent({ type: 'abb' }))).to.be.false();
        expect(matches({ events: ['ab*b*b'], conditions: [] }, testEvent({ type: 'abbb' }))).to.be.true();
    });

    it('takes other signs of expressions as they are', () => {
        for (const pattern of ['thread.message.create.', 'thread?message?created', '.*', '(thread)*', '[a-z.]+']) {
            expect(fits(pattern), pattern).to.be.false();
        }
    });

    it('is true when one of several patterns fits, and false without any', () => {
        expect(fits('tunnel.*', 'thread.*')).to.be.true();
        expect(fits('tunnel.*', 'vm.*')).to.be.false();
        expect(fits()).to.be.false();
    });

    it('needs all conditions to hold', () => {
        const both = (second: unknown): EventFilter => ({
            events: ['*'],
            conditions: [
                { field: 'data.count', comparison: 'eq', value: 5 },
                { field: 'data.title', comparison: 'eq', value: second },
            ],
        });
        expect(matches(both('Hello'), event)).to.be.true();
        expect(matches(both('Bye'), event)).to.be.false();
    });

    it('compares by value and kind', () => {
        expect(holds('data.count', 'eq', 5)).to.be.true();
        expect(holds('data.count', 'eq', '5')).to.be.false();
        expect(holds('data.done', 'eq', false)).to.be.true();
        expect(holds('data.note', 'eq', null)).to.be.true();
        expect(holds('data.model.id', 'eq', 'm1')).to.be.true();
        expect(holds('data.tags.1', 'eq', 'b')).to.be.true();
        expect(holds('type', 'eq', 'thread.message.created')).to.be.true();
        expect(holds('data.count', 'ne', 5)).to.be.false();
        expect(holds('data.count', 'ne', 6)).to.be.true();
        expect(holds('data.missing', 'ne', 6)).to.be.true();
    });

    it('orders numbers and texts', () => {
        const expected: [Comparison, boolean, boolean, boolean][] = [
            ['gt', true, false, false],
            ['gte', true, true, false],
            ['lt', false, false, true],
            ['lte', false, true, true],
        ];
        for (const [comparison, below, same, above] of expected) {
            const numbers = [4.5, 5, 6].map((value) => holds('data.count', comparison, value));
            const texts = ['Heaven', 'Hello', 'Help'].map((value) => holds('data.title', comparison, value));
            expect(numbers, comparison).to.equal([below, same, above]);
            expect(texts, comparison).to.equal([below, same, above]);
        }
        expect(holds('timestamp', 'gte', '2026-11-21T00:00:00.000Z')).to.be.true();
    });

    it('gives no order to what has none', () => {
        for (const comparison of ['gt', 'gte', 'lt', 'lte'] as const) {
            expect(holds('data.count', comparison, '5')).to.be.false();
            expect(holds('data.title', comparison, 0)).to.be.false();
            expect(holds('data.done', comparison, false)).to.be.false();
            expect(holds('data.note', comparison, 0)).to.be.false();
            expect(holds('data.missing', comparison, 0)).to.be.false();
        }
    });

    it('finds a value among several', () => {
        expect(holds('data.title', 'in', ['Bye', 'Hello'])).to.be.true();
        expect(holds('data.title', 'in', ['Bye'])).to.be.false();
        expect(holds('data.title', 'in', 'Hello')).to.be.false();
        expect(holds('data.missing', 'in', ['Bye'])).to.be.false();
    });

    it('knows whether a field is there, also without a value', () => {
        expect(holds('data.note', 'exists')).to.be.true();
        expect(holds('data.note', 'exists', true)).to.be.true();
        expect(holds('data.note', 'exists', false)).to.be.false();
        expect(holds('data.missing', 'exists')).to.be.false();
        expect(holds('data.missing', 'exists', false)).to.be.true();
        expect(holds('data.title.0', 'exists', false)).to.be.true();
    });

    it('reads nothing that a field inherits', () => {
        const paths = [
            '__proto__',
            'constructor',
            'toString',
            'hasOwnProperty',
            'data.__proto__',
            'data.constructor.name',
            'data.tags.map',
            'data.title.length',
        ];
        for (const path of paths) expect(holds(path, 'exists'), path).to.be.false();
        const own = JSON.parse('{"__proto__":{"a":1},"constructor":{"a":1},"prototype":{"a":1}}');
        for (const name of Object.keys(own)) {
            const filter: EventFilter = {
                events: ['*'],
                conditions: [{ field: `data.${name}.a`, comparison: 'exists' }],
            };
            expect(matches(filter, testEvent({ data: own })), name).to.be.false();
        }
    });
});

describe('filterSchema', () => {
    const check = (value: unknown) => filterSchema.validate(value);
    const checkCondition = (condition: object) => check({ events: ['*'], conditions: [condition] }).error?.message;

    it('takes its own examples', () => {
        const { examples } = filterSchema.describe();
        expect(examples).to.have.length(1);
        expect(check(examples?.[0]).error).to.not.exist();
    });

    it('has no conditions unless they are given', () => {
        expect(check({ events: ['thread.*'] }).value).to.equal({ events: ['thread.*'], conditions: [] });
    });

    it('takes every comparison with its kind of value, unchanged', () => {
        const conditions = [
            ...['eq', 'ne'].flatMap((comparison) => ['5', 5, true, null].map((value) => ({ comparison, value }))),
            ...['gt', 'gte', 'lt', 'lte'].flatMap((comparison) => ['5', 5].map((value) => ({ comparison, value }))),
            { comparison: 'in', value: ['5', 5, true, null] },
            { comparison: 'exists' },
            { comparison: 'exists', value: false },
        ].map((condition) => ({ field: 'data.count', ...condition }));
        const filters = conditions.map((condition) => ({ events: ['*'], conditions: [condition] }));
        for (const filter of filters) expect(check(filter)).to.equal({ value: filter });
    });

    it('refuses values that a comparison does not take', () => {
        const conditions: [string, unknown][] = [
            ['eq', undefined],
            ['eq', {}],
            ['ne', []],
            ['eq', 'a'.repeat(1_001)],
            ['gt', true],
            ['lt', null],
            ['gte', ['a']],
            ['in', 'a'],
            ['in', []],
            ['in', [{}]],
            ['in', Array.from({ length: 101 }, (_, index) => index)],
            ['exists', 'yes'],
        ];
        for (const [comparison, value] of conditions) {
            expect(checkCondition({ field: 'data.count', comparison, value }), comparison).to.contain('comparison');
        }
        expect(checkCondition({ field: 'data.count', comparison: 'matches', value: '.*' })).to.exist();
        expect(checkCondition({ comparison: 'exists' })).to.exist();
        expect(checkCondition({ field: 'data.count', comparison: 'exists', regex: 'a' })).to.exist();
    });

    it('refuses paths that are not of an event', () => {
        const deep = `data.${'a.'.repeat(7)}a`;
        const paths = [
            '',
            'threadId',
            'data.',
            '.data',
            'data..a',
            'data.__proto__',
            'data.constructor.name',
            '__proto__.a',
            'data.a b',
            'data[0]',
            deep,
            `data.${'a'.repeat(65)}`,
        ];
        for (const field of paths) expect(checkCondition({ field, comparison: 'exists' }), field).to.exist();
        for (const field of ['id', 'type', 'timestamp', 'data.tags.0', `data.${'a.'.repeat(6)}a`]) {
            expect(checkCondition({ field, comparison: 'exists' }), field).to.not.exist();
        }
    });

    it('refuses patterns that fit no type, none, and too many of them', () => {
        for (const events of [
            [],
            ['Thread.*'],
            ['thread.'],
            ['.created'],
            ['^thread$'],
            ['a'.repeat(101)],
            Array.from({ length: 51 }, () => 'a'),
        ]) {
            expect(check({ events }).error, events.join().slice(0, 30)).to.exist();
        }
        expect(check({}).error).to.exist();
        const condition = { field: 'id', comparison: 'exists' };
        expect(check({ events: ['*'], conditions: Array.from({ length: 21 }, () => condition) }).error).to.exist();
        expect(check({ events: ['*'], script: 'true' }).error).to.exist();
    });
});
