import Joi from 'joi';

import { httpUrl } from '../config-rules.ts';

/** What the environment says about metrics, traces and reports of errors. */
export interface TelemetrySettings {
    /** Whether requests and commands of Redis are measured, and there is /metrics. */
    METRICS: boolean;
    /** What /metrics asks for; without it private networks only are answered. */
    METRICS_TOKEN?: string;
    /** A port of its own for /metrics and the probes, as of a process that serves nothing else; 0: none. */
    METRICS_PORT: number;
    /** Where unexpected errors are reported to; nowhere unless given. */
    SENTRY_DSN?: string;
    /** A collector that takes traces as OTLP over HTTP, without `/v1/traces`; none are made unless given. */
    OTEL_EXPORTER_OTLP_ENDPOINT?: string;
    OTEL_SERVICE_NAME: string;
    /** The share of traces that are made, of those that begin here. */
    OTEL_TRACES_SAMPLER_ARG: number;
}

const MAKE_TOKEN = 'make one with `node -p "crypto.randomBytes(32).toString(\'base64url\')"`';

const DSN = /^https?:\/\/[^\s/@:]+@[^\s/@]+\/(?:[^\s?#]*\/)?\d+$/;

export const telemetrySettings = () => ({
    METRICS: Joi.boolean().truthy('on').falsy('off').default(true),
    METRICS_TOKEN: Joi.string()
        .min(32)
        .max(256)
        .messages({ 'string.min': `{{#label}} needs 32 characters or more; ${MAKE_TOKEN}` }),
    METRICS_PORT: Joi.number().port().default(0),
    SENTRY_DSN: Joi.string()
        .pattern(DSN)
        .messages({ 'string.pattern.base': '{{#label}} must be a DSN, as https://<key>@<host>/<project>' }),
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(),
    OTEL_SERVICE_NAME: Joi.string().max(255).default('llm-api-layer'),
    OTEL_TRACES_SAMPLER_ARG: Joi.number().min(0).max(1).default(1),
});
