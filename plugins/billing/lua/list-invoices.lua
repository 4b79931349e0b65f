-- One page of a tenant's invoices, the newest first. Closes the month that is over before.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last month seen, or two empty strings
-- Returns {total, more (0 | 1), last score, last id, {month, {field, value, …}, {what, sum, …}}, …}
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include close-month
-- @include page
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
close_now(keys, now())
local order = KEYS[1] .. ':invoices'
local page, more, last, last_id = page_of(order, ARGV, function(month)
    return { month, redis.call('HGETALL', KEYS[1] .. ':invoice:' .. month),
        redis.call('HGETALL', KEYS[1] .. ':month:' .. month) }
end)
return { redis.call('ZCARD', order), more, last, last_id, unpack(page) }
