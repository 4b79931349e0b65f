import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isSafePath } from '../../../src/relay/safe-path.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('isSafePath', () => {
    it('lets the paths of real services through', () => {
        for (const path of [
            '/',
            '/api/chat',
            '/v1/models/org%2Fname:latest',
            '/a%20b?next=/../x&url=http://c//d',
            '/.well-known/x',
            '/a..b/c...',
            '/100%25',
        ]) {
            expect(isSafePath(path), path).to.be.true();
        }
    });

    it('refuses what could leave the base path', () => {
        for (const path of [
            '',
            'api',
            'http://elsewhere/',
            '//elsewhere/',
            '/a//b',
            '/..',
            '/../admin',
            '/a/../../admin',
            '/a/./b',
            '/..;x=1/admin',
            '/%2e%2e/admin',
            '/.%2E/admin',
            '/a/%252e%252e/admin',
            '/a/%25252e%25252e/admin',
            '/a%2f..%2fadmin',
            '/a%2f%2e%2e%2fadmin',
            '/%2felsewhere',
            '/a\\b',
            '/..\\admin',
            '/a%5c..%5cadmin',
            '/a%255cb',
        ]) {
            expect(isSafePath(path), path).to.be.false();
        }
    });

    it('refuses what is no path at all', () => {
        for (const path of ['/a b', '/a\r\nX: y', '/a%0d%0aX: y', '/a\u0000', '/a%00', '/%zz', '/a%', '/é', '/a#b']) {
            expect(isSafePath(path), path).to.be.false();
        }
    });
});
