import Joi from 'joi';

import { parseRange } from './http/client-address.ts';
import { parsePrivateRange } from './private-range.ts';
import { parseKeyring } from './security/keyring.ts';

export const keyring = (encoding: 'utf8' | 'base64', isLongEnough: (bytes: number) => boolean, hint: string) =>
    Joi.string().custom((text: string, helpers) => {
        try {
            return parseKeyring(text, encoding, isLongEnough);
        } catch (error) {
            return helpers.message({ custom: `{{#label}} ${(error as Error).message}; ${hint}` });
        }
    });

export const commaSeparated = () =>
    Joi.string()
        .allow('')
        .custom((text: string) => text.split(',').flatMap((part) => part.trim() || []));

/** Answers with credentials must name who may read them. */
export const origins = () =>
    commaSeparated().custom((list: string[], helpers) =>
        list.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)
            ? list
            : helpers.message({ custom: '{{#label}} needs origins like https://app.example.com, separated by commas' }),
    );

export const addressRanges = () =>
    commaSeparated().custom((list: string[], helpers) => {
        try {
            list.forEach(parseRange);
            return list;
        } catch {
            return helpers.message({
                custom: '{{#label}} needs addresses or CIDRs like 10.0.0.0/8, separated by commas',
            });
        }
    });

export const providerKeys = Joi.string().custom((text: string, helpers) => {
    const pairs = text.split(',').map((part) => /^(anthropic|openai|google)=(.+)$/.exec(part.trim()));
    if (pairs.includes(null)) {
        return helpers.message({ custom: '{{#label}} needs the form anthropic=KEY,openai=KEY,google=KEY' });
    }
    return Object.fromEntries(pairs.map((pair) => [pair?.[1], pair?.[2]]));
});

export const httpUrl = () => Joi.string().uri({ scheme: ['http', 'https'] });

export const privateRange = () =>
    Joi.string().custom((text: string, helpers) => {
        try {
            return parsePrivateRange(text).cidr;
        } catch (error) {
            return helpers.message({ custom: `{{#label}} ${(error as Error).message}` });
        }
    });

export const imageNames = () =>
    commaSeparated().custom((list: string[], helpers) =>
        list.length > 0 && list.every((name) => /^[a-z0-9][a-z0-9._-]{0,99}$/.test(name))
            ? list
            : helpers.message({ custom: '{{#label}} needs names of images like debian-13, separated by commas' }),
    );

export const host = () => Joi.alternatives(Joi.string().ip(), Joi.string().hostname());

/** Load balancers learn in a moment that a process is about to stop; in development there is none. */
export const shutdown = (production: boolean) => ({
    SHUTDOWN_TIMEOUT: Joi.number().integer().min(1).max(600).default(30),
    SHUTDOWN_DELAY: Joi.number()
        .integer()
        .min(0)
        .less(Joi.ref('SHUTDOWN_TIMEOUT'))
        .message('{{#label}} must be less than SHUTDOWN_TIMEOUT')
        .default(production ? ({ SHUTDOWN_TIMEOUT }) => Math.min(5, Math.floor(SHUTDOWN_TIMEOUT / 2)) : 0),
});
