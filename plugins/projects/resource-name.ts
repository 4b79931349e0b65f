import Joi from 'joi';

/** Names that somebody could take for a part of the installation. */
const RESERVED = ['admin', 'root', 'system', 'api', 'www', 'mail', 'ftp'];

/** The schema of the name of a project, and of what is in it. Upper and lower case are the same name. */
export const resourceName = (): Joi.StringSchema =>
    Joi.string()
        .min(1)
        .max(100)
        .pattern(/^[A-Za-z0-9_-]+$/, 'letters, digits, _ and -')
        .insensitive()
        .invalid(...RESERVED)
        .messages({ 'any.invalid': '{{#label}} is a reserved name' })
        .example('web-shop');
