"""TumbleDry's two origins."""
