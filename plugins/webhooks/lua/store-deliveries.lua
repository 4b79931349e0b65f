-- Store deliveries of a tenant that are not there yet. Those of a webhook that is gone are left out.
-- KEYS[1] what the keys of webhooks begin with · KEYS[2] what those of deliveries begin with
-- ARGV[1] JSON {deliveries: [{id, webhookId, time, fields: [field, value, …]}], most, again?}
--               `most` of a webhook wait; `again`: what has ended is begun anew
-- Returns {id, round, id, round, …} of those that a job is needed for: the new ones, and those that wait
-- @include now
-- @include delivery-lists
local change = cjson.decode(ARGV[1])
local at = now()
local time = string.format('%d', at)
local todo = {}

local function need_job(id, round)
    todo[#todo + 1] = id
    todo[#todo + 1] = round
end

for _, delivery in ipairs(change.deliveries) do
    local webhook = KEYS[1] .. delivery.webhookId
    local lists = lists_of(webhook, KEYS[2])
    local key = KEYS[2] .. delivery.id
    local status, round = unpack(redis.call('HMGET', key, 'status', 'round'))
    local is_full = status ~= 'pending' and redis.call('ZCARD', lists.pending) >= change.most
    if redis.call('EXISTS', webhook) == 0 then
        -- It was deleted meanwhile.
    elseif not status then
        redis.call('HSET', key, 'id', delivery.id, 'webhookId', delivery.webhookId, 'status', 'pending', 'round', 1,
            'tries', 0, 'createdAt', time, 'startedAt', time, unpack(delivery.fields))
        redis.call('ZADD', lists.all, string.format('%d', delivery.time), delivery.id)
        if is_full then
            end_delivery(lists, delivery.id, 'cancelled', 'backlog', at)
        else
            await_attempt(lists, delivery.id, at)
            need_job(delivery.id, '1')
        end
    elseif status == 'pending' then
        need_job(delivery.id, round)
    elseif change.again and not is_full then
        need_job(delivery.id, string.format('%d', begin_again(lists, delivery.id, at)))
    end
end
return todo
