-- Begin a delivery anew at once, whether it waits or has ended.
-- KEYS[1] delivery · KEYS[2] events · KEYS[3] audit · KEYS[4] webhook · KEYS[5] what the keys of deliveries begin with
-- ARGV[1] JSON {id, webhookId, events, audit}
-- Returns {1, {field, value, …}} the delivery, {0} the webhook is not found, {-1} the delivery is not, {-2} the webhook
-- is disabled
-- @include now
-- @include outbox
-- @include delivery-lists
local change = cjson.decode(ARGV[1])
local active = redis.call('HGET', KEYS[4], 'isActive')
if not active then return { 0 } end
if redis.call('HGET', KEYS[1], 'webhookId') ~= change.webhookId then return { -1 } end
if active ~= '1' then return { -2 } end
local at = now()
begin_again(lists_of(KEYS[4], KEYS[5]), change.id, at)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, redis.call('HGETALL', KEYS[1]) }
