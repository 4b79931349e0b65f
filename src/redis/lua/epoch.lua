-- Whether a session that began at that time was ended with all others of its tenant or its user.
local function is_over(began, tenant_epoch, user_epoch)
    return tonumber(began) < math.max(tonumber(tenant_epoch or 0), tonumber(user_epoch or 0))
end
