-- Remove some deliveries of a webhook that was deleted, as long as there is a note of it: it may be back by then.
-- KEYS[1] webhook · KEYS[2] what the keys of deliveries begin with · KEYS[3] those that deliveries are left of
-- then the rates of the webhook
-- ARGV[1] webhook's id · ARGV[2] how many
-- Returns 1 some are left, 0 none is
-- @include delivery-lists
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
local lists = lists_of(KEYS[1], KEYS[2])
for _, id in ipairs(redis.call('ZRANGE', lists.all, 0, ARGV[2] - 1)) do forget_delivery(lists, id) end
if redis.call('EXISTS', lists.all) == 1 then return 1 end
redis.call('UNLINK', lists.pending, lists.ended, unpack(KEYS, 4))
redis.call('ZREM', KEYS[3], ARGV[1])
return 0
