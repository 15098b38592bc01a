SELECT incarnation FROM meta WHERE one = 1
