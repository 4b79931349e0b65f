import { mappedBody, mappedValues } from './mapping.ts';

import type { Destination, WebhookFormat } from './types.ts';
import type { TenantEvent } from '../../events/api.ts';

/** Slack shows 4,000 characters of a text well. */
const SLACK_TEXT = 4_000;
const SLACK_LINE = 500;
/** Discord's limits of an embed: its parts, and all of them together. */
const DISCORD_TITLE = 256;
const DISCORD_NAME = 256;
const DISCORD_VALUE = 1_024;
const DISCORD_FIELDS = 25;
const DISCORD_TOTAL = 6_000;
const CUT = '…';

type Field = [name: string, value: unknown];

/**
 * The body that a webhook is sent. A mapping's fields are the whole body of the standard format, and what is shown of
 * the event in the others.
 */
export function formatBody({ format, mapping }: Pick<Destination, 'format' | 'mapping'>, event: TenantEvent): string {
    const fields = mapping ? mappedValues(mapping, event) : null;
    return JSON.stringify(bodies[format](event, fields));
}

const bodies: Record<WebhookFormat, (event: TenantEvent, mapped: Field[] | null) => object> = {
    standard: ({ id, type, timestamp, data }, mapped) => (mapped ? mappedBody(mapped) : { type, timestamp, data, id }),
    slack: ({ type, data }, mapped) => ({
        text: slackText(type, mapped ?? Object.entries(data)),
        mrkdwn: false,
        unfurl_links: false,
        unfurl_media: false,
    }),
    discord: ({ type, timestamp, data }, mapped) => ({
        embeds: [{ ...discordEmbed(type, mapped ?? Object.entries(data)), timestamp }],
        allowed_mentions: { parse: [] },
    }),
};

function slackText(type: string, fields: Field[]): string {
    let text = escapeWithin(type, SLACK_LINE, slackEscape);
    for (const [name, value] of fields) {
        const line = `\n${escapeWithin(`${oneLine(name)}: ${oneLine(asText(value))}`, SLACK_LINE, slackEscape)}`;
        if (text.length + line.length + CUT.length + 1 > SLACK_TEXT) return `${text}\n${CUT}`;
        text += line;
    }
    return text;
}

function discordEmbed(type: string, fields: Field[]) {
    const title = escapeWithin(type, DISCORD_TITLE, discordEscape);
    let room = DISCORD_TOTAL - title.length;
    const shown: { name: string; value: string }[] = [];
    for (const [key, found] of fields.slice(0, DISCORD_FIELDS)) {
        const name = escapeWithin(oneLine(key), DISCORD_NAME, discordEscape);
        const value = escapeWithin(asText(found), DISCORD_VALUE, discordEscape);
        room -= name.length + value.length;
        if (room < 0) break;
        shown.push({ name, value });
    }
    return { title, fields: shown };
}

/** A field without a value, or with an empty one, is shown as a dash: Discord refuses empty texts. */
function asText(value: unknown): string {
    const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
    const shown = text.replace(/[^\P{Cc}\n]/gu, ' ').trim();
    return value === null || shown === '' ? '-' : shown;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

const SLACK_ENTITIES = new Map([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
]);

/** Mentions, channels and links need a `<` (Slack, "Escaping text"); other markup is off by `mrkdwn: false`. */
const slackEscape = (character: string): string => SLACK_ENTITIES.get(character) ?? character;

/** A mention needs its `@` or `<`; links need their `:`. */
const discordEscape = (character: string): string =>
    /[\\*_~`|<>@#:[\]()-]/.test(character) ? `\\${character}` : character;

/** Escapes a text and cuts it to a length, never within what one character became. */
function escapeWithin(text: string, most: number, escape: (character: string) => string): string {
    let escaped = '';
    let kept = '';
    for (const character of text) {
        escaped += escape(character);
        if (escaped.length > most) return kept + CUT;
        if (escaped.length <= most - CUT.length) kept = escaped;
    }
    return escaped;
}
