/** What stands after the `@` of an e-mail address. */
export const domainOf = (email: string): string => email.slice(email.indexOf('@') + 1);

/** What stands before the `@` of an e-mail address. */
export const localPartOf = (email: string): string => email.slice(0, email.indexOf('@'));
