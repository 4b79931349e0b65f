/** What the command can do, in words. */
export const USAGE = `Usage: npm run rollout -- <way> <step> [options]

  blue-green begin                      once, after the manifests were applied: clients get to blue, green ends
  blue-green deploy --image <image>     the idle colour gets the image, and is tested
  blue-green test                       asks the idle colour once more; changes nothing
  blue-green switch                     clients get to the new colour, which is watched
  blue-green back                       back to the former colour; what was not switched yet is taken away
  blue-green finish                     the worker gets the image, the former colour ends
  blue-green status

  canary start --image <image> --percent <1-90>   a share of the requests gets to the new version
  canary promote                        the new version replaces the stable one, and the worker
  canary abort                          all as it was before
  canary status

  --namespace <name>       llm-api-layer unless given
  --context <name>         of the kubeconfig; the current one unless given
  --dry-run                says what would be run, and changes nothing
  --timeout <seconds>      for pods to become ready (300)
  --window <seconds>       for which versions are compared (60)
  --sample <pods>          of each version that are asked for their metrics (5)
  --min-requests <number>  of each version, to judge by (50)
  --allow-quiet            go on although there were fewer
  --max-errors <points>    so many percent points more of the answers may be 5xx (1)
  --max-slowdown <percent> so much longer may 95 of 100 requests take (50)
  --expect-version <text>, --expect-commit <text>   what the new version must say it is

ROLLOUT_EMAIL and ROLLOUT_PASSWORD, of a user, let the smoke test log in; METRICS_TOKEN reads the metrics.
Exit code: 0 done, or done before; 1 refused or failed, nothing is changed; 2 not understood; 3 failed and rolled back;
4 somebody else was first; 5 failed, and not all could be rolled back; 129, 130 and 143 interrupted and rolled
back.`;

/** What was asked for makes no sense. */
export class UsageError extends Error {}
