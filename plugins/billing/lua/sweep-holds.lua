-- Settle holds of a tenant that no process renews any more.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] how many at most
-- Returns {how many there were, how many holds are left, what was charged}
-- @include now
-- @include lease-time
-- @include calendar
-- @include outbox
-- @include credits
-- @include holds
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local swept, charged = sweep_holds(keys, ARGV[1], now())
return { swept, redis.call('ZCARD', KEYS[1] .. ':holds'), charged }
