import Joi from 'joi';

/** What the environment says about metrics. */
export interface MetricsSettings {
    /** Whether requests and commands of Redis are measured, and there is /metrics. */
    METRICS: boolean;
    /** What /metrics asks for; without it private networks only are answered. */
    METRICS_TOKEN?: string;
    /** A port of its own for /metrics and the probes, as of a process that serves nothing else; 0: none. */
    METRICS_PORT: number;
}

const MAKE_TOKEN = 'make one with `node -p "crypto.randomBytes(32).toString(\'base64url\')"`';

export const metricsSettings = () => ({
    METRICS: Joi.boolean().truthy('on').falsy('off').default(true),
    METRICS_TOKEN: Joi.string()
        .min(32)
        .max(256)
        .messages({ 'string.min': `{{#label}} needs 32 characters or more; ${MAKE_TOKEN}` }),
    METRICS_PORT: Joi.number().port().default(0),
});
