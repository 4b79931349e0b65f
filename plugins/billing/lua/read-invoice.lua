-- Read the invoice of a month, or how the month stands that is open. Closes the month that is over before.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] month (yyyymm)
-- Returns {1 closed | 2 open, {field, value, …} of the invoice, {what, sum, …}}, {0} there is none
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include close-month
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local this = close_now(keys, now())
local sums = redis.call('HGETALL', KEYS[1] .. ':month:' .. ARGV[1])
if ARGV[1] == this then
    local opening, balance = unpack(redis.call('HMGET', KEYS[1], 'opening', 'balance'))
    local name = redis.call('HGET', KEYS[1]:gsub('credits$', 'info'), 'name') or ''
    return { 2, { 'opening', opening or '0', 'closing', balance or '0', 'tenantName', name }, sums }
end
local invoice = redis.call('HGETALL', KEYS[1] .. ':invoice:' .. ARGV[1])
if #invoice == 0 then return { 0 } end
return { 1, invoice, sums }
