import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventTypes, isEventType } from '../../../src/events/catalogue.ts';
import { packageRoot } from '../../../src/package-root.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const sources = (ending: string): string[] =>
    ['src', 'plugins'].flatMap((folder) =>
        readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith(ending) && !`${folder}/${name}`.startsWith('src/events/'))
            .map((name) => readFileSync(join(packageRoot(), folder, name), 'utf8')),
    );

/** What Lua gives those functions that append an event of a type. */
const typesInLua = (text: string): string[] => [
    ...[...text.matchAll(/(?:tell\(\w+, |event_of\()'([a-z_]+(?:\.[a-z_]+)?)'/g)].map(([, type = '']) => type),
    ...[...text.matchAll(/(?:=|'type',) '([a-z]+\.[a-z_]+)'/g)].map(([, type = '']) => type),
];

describe('the catalogue of event types', () => {
    it('has every type that a script composes', () => {
        const found = sources('.lua').flatMap((text) => {
            // Scripts of proxies tell what happened, and the name before it stands in one place.
            const isOfProxies = text.includes('-- @include proxy-status') || text.includes("'proxy.' .. type");
            return typesInLua(text).map((type) => (isOfProxies && !type.includes('.') ? `proxy.${type}` : type));
        });
        expect(found.length).to.be.above(12);
        expect(found).to.include(['proxy.scaled', 'billing.low_credit', 'billing.refunded', 'vm.deleted']);
        expect(found.filter((type) => !isEventType(type))).to.equal([]);
    });

    it('has no type that nobody appends', () => {
        const code = [...sources('.ts'), ...sources('.lua')].join('\n');
        const isMade = (type: string) => {
            const [resource = '', happened = ''] = type.split('.');
            const isComposed = code.includes(`\`${resource}.\${`) || code.includes(`'${resource}.' .. type`);
            return code.includes(`'${type}'`) || (isComposed && /^[a-z_]+$/.test(happened));
        };
        const orphans = Object.keys(eventTypes).filter((type) => !isMade(type));
        expect(orphans).to.equal([]);
    });

    it('names each as a resource and what happened, and says it in a sentence', () => {
        for (const [type, { description, example }] of Object.entries(eventTypes)) {
            expect(type).to.match(/^[a-z_]+\.[a-z_]+$/);
            expect(description, type).to.match(/^[A-Z].+\.$/);
            expect(Object.keys(example), type).to.not.be.empty();
            expect(example, type).to.not.include(['content', 'secret', 'token', 'password']);
        }
    });
});
