import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { formatBody } from '../../../../plugins/webhooks/sender/format.ts';
import { testEvent } from '../../../helpers/hook-sender.ts';

import type { TenantEvent } from '../../../../plugins/events/api.ts';
import type { FieldMapping, WebhookFormat } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const event = testEvent();

const bodyOf = (format: WebhookFormat, of: TenantEvent = event, mapping: FieldMapping | null = null) =>
    JSON.parse(formatBody({ format, mapping }, of));

const withData = (data: Record<string, unknown>): TenantEvent => testEvent({ data });

describe('formatBody', () => {
    describe('for standard', () => {
        it('has type, time and data as Standard Webhooks names them, and the id', () => {
            const { id, type, timestamp, data } = event;
            expect(formatBody({ format: 'standard', mapping: null }, event)).to.equal(
                JSON.stringify({ type, timestamp, data, id }),
            );
        });

        it('has the fields of a mapping only', () => {
            const mapping = {
                event: 'type',
                'thread.id': 'data.threadId',
                'thread.title': 'data.title',
                none: 'data.none',
            };
            expect(bodyOf('standard', event, mapping)).to.equal({
                event: 'thread.created',
                thread: { id: 'thread_01K9ZQ4V7N8M3T5R2W6X1Y0ABD', title: 'Grüße' },
            });
        });
    });

    describe('for Slack', () => {
        it('tells the type and the fields', () => {
            const body = bodyOf(
                'slack',
                withData({ title: 'Hello', count: 5, model: { id: 'm1' }, note: null, empty: ' ' }),
            );
            expect(body.text).to.equal('thread.created\ntitle: Hello\ncount: 5\nmodel: {"id":"m1"}\nnote: -\nempty: -');
        });

        it('lets no text mention, link or mark up', () => {
            const title = '<!channel> <@U024BE7LH> <https://evil.example|bank> *bold* & &lt;!here&gt;';
            const { text, ...settings } = bodyOf('slack', withData({ title, '<!here>': 'name' }));
            expect(text).to.contain(
                '&lt;!channel&gt; &lt;@U024BE7LH&gt; &lt;https://evil.example|bank&gt; *bold* &amp; &amp;lt;!here',
            );
            expect(text).to.not.match(/[<>]/);
            expect(settings).to.equal({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
        });

        it('keeps each field in its line', () => {
            const { text } = bodyOf('slack', withData({ title: 'one\r\nuser: admin\u2028\u0000\u001b[31mtwo' }));
            expect(text.split(/[\n\r\u2028]/)).to.equal(['thread.created', 'title: one user: admin [31mtwo']);
        });

        it('cuts a field, never within an entity or a character', () => {
            for (const character of ['&', '<', '😀', 'a']) {
                const { text } = bodyOf('slack', withData({ title: character.repeat(2_000) }));
                const [, line] = text.split('\n');
                expect(Number(line.length), character).to.be.between(480, 501);
                expect(line, character).to.match(/^title: (&amp;|&lt;|😀|a)+…$/u);
            }
        });

        it('keeps within 4,000 characters', () => {
            const data = Object.fromEntries(
                Array.from({ length: 30 }, (_, index) => [`field${index}`, '<'.repeat(400)]),
            );
            const { text } = bodyOf('slack', withData(data));
            expect(Number(text.length)).to.be.between(3_400, 4_001);
            expect(text).to.match(/&lt;…\n…$/);
        });

        it('tells a mapping’s fields in place of the data', () => {
            const { text } = bodyOf('slack', event, { 'thread.title': 'data.title', at: 'timestamp' });
            expect(text).to.equal('thread.created\nthread.title: Grüße\nat: 2026-11-21T10:30:00.000Z');
        });
    });

    describe('for Discord', () => {
        it('tells the type, the time and the fields', () => {
            const body = bodyOf('discord', withData({ title: 'Hello', count: 5, note: null }));
            expect(body).to.equal({
                embeds: [
                    {
                        title: 'thread.created',
                        fields: [
                            { name: 'title', value: 'Hello' },
                            { name: 'count', value: '5' },
                            { name: 'note', value: '\\-' },
                        ],
                        timestamp: event.timestamp,
                    },
                ],
                allowed_mentions: { parse: [] },
            });
        });

        it('lets no text mention, link or mark up', () => {
            const title = '@everyone <@123> [bank](https://evil.example) **b** __u__ ~~s~~ `c` ||h|| > q # h \\*';
            const [{ value }] = bodyOf('discord', withData({ title })).embeds[0].fields;
            expect(value.replace(/\\./g, '')).to.not.match(/[\\*_~`|<>@#:[\]()]/);
            expect(value.replace(/\\(.)/g, '$1')).to.equal(title);
        });

        it('holds the limits of an embed', () => {
            const data = Object.fromEntries(
                Array.from({ length: 40 }, (_, index) => [`${index}${'*'.repeat(300)}`, '\\'.repeat(3_000)]),
            );
            const [embed] = bodyOf('discord', testEvent({ type: 'a'.repeat(300), data })).embeds;
            const sizes = embed.fields.map(({ name, value }: Record<'name' | 'value', string>) => [
                name.length,
                value.length,
            ]);
            expect(embed.title).to.have.length(256);
            for (const [name, value] of sizes) {
                expect(Number(name)).to.be.between(250, 257);
                expect(Number(value)).to.be.between(1_000, 1_025);
            }
            const total: number = sizes.flat().reduce((sum: number, size: number) => sum + size, 256);
            expect(total).to.be.between(4_000, 6_001);
            for (const { name, value } of embed.fields) expect(name + value).to.match(/^\d+(\\\*)+…(\\\\)+…$/);
        });

        it('shows 25 fields at most', () => {
            const data = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`field${index}`, index]));
            expect(bodyOf('discord', withData(data)).embeds[0].fields).to.have.length(25);
        });
    });
});
