/** Every text that differs from a token in one character. */
export const altered = (token: string): string[] =>
    token.split('').flatMap((was, at) => {
        const others = ['0', 'A', 'B', '.', '=', ' ', 'é'].filter((other) => other !== was);
        return others.map((other) => token.slice(0, at) + other + token.slice(at + 1));
    });
