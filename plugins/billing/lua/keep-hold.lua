-- Renew a hold on a tenant's credits, and raise it where that is asked for.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON, as `keep_hold` has it
-- Returns {1, held, what could be had besides}, {0} it is not there any more
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
return { keep_hold(keys, cjson.decode(ARGV[1]), now()) }
