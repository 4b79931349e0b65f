-- Read a tenant's credits.
-- KEYS[1] credits
-- Returns {balance, held, spent, what counts as low}, in strings
-- @include calendar
-- @include credits
local balance, spent, low = unpack(redis.call('HMGET', KEYS[1], 'balance', 'spent', 'lowCredit'))
return { balance or '0', redis.call('HGET', KEYS[1] .. ':held', 'tenant') or '0', spent or '0', low or LOW_CREDIT }
