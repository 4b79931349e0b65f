/** What the command can do, in words. */
export const USAGE = `Usage: npm run admin -- <command> [--json]

  tenant create --name <name> --domain <domain> --email <of its first admin>
                [--plan free|premium|enterprise] [--display-name <name>] [--password-stdin]
  tenant list [--limit <1-100>] [--cursor <cursor>]
  tenant show <tenant>
  tenant suspend <tenant> --reason <text>
  tenant activate <tenant>
  tenant delete <tenant> --yes
  tenant restore <tenant>

  user list <tenant> [--q <what a name or the e-mail begins with>] [--limit <1-100>] [--cursor <cursor>]
  user suspend <tenant> <user> --reason <text>
  user activate <tenant> <user>

  config get
  config set <name>=<value> ...
      registration=open|closed|default
      maintenance=on|off
      message=<text>                       (empty: none)
      limits.<tier>.<figure>=<number>|default

Without --password-stdin, which reads the password from the standard input, the first admin gets an invitation.
With --json the answer is JSON, as that of the API. It works beside a running API and without one.
Exit code: 0 done, 1 refused or failed, 2 not understood.`;

/** What was asked for makes no sense. */
export class UsageError extends Error {}
