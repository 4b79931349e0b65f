import Joi from 'joi';

/** The part of a list's query that every list has. */
export interface PageParams {
    limit: number;
    cursor?: string;
    order: 'asc' | 'desc';
}

/** @param sizes The length of a page when none is asked for, and at most */
export const pageParams = (sizes: { usual: number; most: number }) => ({
    limit: Joi.number().integer().min(1).max(sizes.most).default(sizes.usual),
    cursor: Joi.string().max(1024).description('the cursor of the page before'),
    order: Joi.string().valid('asc', 'desc').default('desc'),
});
