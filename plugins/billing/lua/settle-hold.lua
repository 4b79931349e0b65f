-- Settle a hold on a tenant's credits, once.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON of the settlement, as `settle_hold` has it
-- Returns {1, what was charged}, {0, 0} it has been settled before
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
return { settle_hold(keys, cjson.decode(ARGV[1]), now()) }
