./hub
